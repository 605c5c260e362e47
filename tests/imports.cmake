# What starts for every command loads no DLL that it can do without: advapi32.dll brings sechost.dll and rpcrt4.dll,
# user32.dll the whole desktop.  And none calls what changes the children of its process, too: the command is to start as
# without sbx (MSDN "SetDllDirectoryW", "SetErrorMode", "SetPriorityClass").
#
# What a program imports is looked for in its own folder first, before any of its code can say otherwise; not so the DLLs that Windows
# has a section of ("KnownDLLs") and the API sets that each Windows has: MSDN "Dynamic-Link Library Search Order".  PROGRAMS import no others.
# The list of 1809 to 11: HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\KnownDLLs.
# cmake -D OBJDUMP=PROGRAM -D "FILES=EXE;DLL..." -D "PROGRAMS=EXE..." -P imports.cmake
cmake_minimum_required(VERSION 3.25)
foreach(file ${FILES})
    execute_process(COMMAND ${OBJDUMP} -p ${file} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "DLL Name: [^\r\n]+" imports "${headers}")
    if(NOT imports)
        message(SEND_ERROR "${file}: no imports found")
    endif()
    string(REGEX MATCH "(SetDllDirectory[AW]|SetErrorMode|SetPriorityClass)[\r\n]" inherited "${headers}")
    if(inherited)
        message(SEND_ERROR "${file} imports ${inherited}: children inherit what it sets")
    endif()
    # which kernel32.dll is not documented to have
    if(headers MATCHES "DLL Name: KERNEL32[^:]*:[^:]*CreateProcessAsUser")
        message(SEND_ERROR "${file} imports CreateProcessAsUserW from kernel32.dll, not by its API set")
    endif()
    foreach(import ${imports})
        string(TOLOWER "${import}" name)
        if(NOT name MATCHES "^dll name: (kernel32\\.dll|ntdll\\.dll|msvcrt\\.dll|api-ms-win-[a-z0-9-]+\\.dll)$")
            message(SEND_ERROR "${file} imports ${import}: is an API set missing in core/win/apisets?")
        endif()
    endforeach()
endforeach()

set(known advapi32 clbcatq combase comdlg32 coml2 difxapi gdi32 gdiplus imagehlp imm32 kernel32 msctf msvcrt normaliz nsi ole32 oleaut32 psapi
    rpcrt4 sechost setupapi shcore shell32 shlwapi user32 wldap32 ws2_32 ntdll
    api-ms-win-core-processthreads-l1-1-0 api-ms-win-core-registry-l1-1-0 api-ms-win-security-base-l1-1-0)
foreach(file ${PROGRAMS})
    execute_process(COMMAND ${OBJDUMP} -p ${file} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "DLL Name: [^\r\n]+" imports "${headers}")
    if(NOT imports)
        message(SEND_ERROR "${file}: no imports found")
    endif()
    foreach(import ${imports})
        string(TOLOWER "${import}" name)
        string(REGEX REPLACE "^dll name: (.*)\\.dll$" "\\1" name "${name}")
        if(NOT name IN_LIST known)
            message(SEND_ERROR "${file} imports ${import}: Windows would load one that lies beside the program")
        endif()
    endforeach()
endforeach()
