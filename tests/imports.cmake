# What starts for every command loads no DLL that it can do without: advapi32.dll brings sechost.dll and rpcrt4.dll,
# user32.dll the whole desktop.  And none calls what changes the children of its process, too: the command is to start as
# without sbx (MSDN "SetDllDirectoryW", "SetErrorMode", "SetPriorityClass").
# cmake -D OBJDUMP=PROGRAM -D "FILES=EXE;DLL..." -P imports.cmake
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
