#include "base/area.h"

const sbx_area sbx_areas[SBX_AREA_COUNT] = {
    {SBX_AREA_FILE_WRITE, "write", "file writes"},        {SBX_AREA_FILE_DELETE, "delete", "file deletes"},
    {SBX_AREA_FILE_READ, "read", "file reads"},           {SBX_AREA_NETWORK, "network", "network"},
    {SBX_AREA_PROCESS_TREE, "processes", "process tree"}, {SBX_AREA_UI, "ui", "desktop"},
};
