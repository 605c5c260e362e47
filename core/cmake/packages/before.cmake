# Before anything is packed: programs are signed, if they are to be, every file gets one time, and the zip its local form in UTC.
if(CPACK_SBX_SIGN)
    file(GLOB_RECURSE programs ${CPACK_TEMPORARY_DIRECTORY}/*.exe ${CPACK_TEMPORARY_DIRECTORY}/*.dll)
    foreach(program ${programs})
        execute_process(COMMAND ${CPACK_SBX_SIGN} ${program} COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
endif()
set(ENV{TZ} UTC)
set(ENV{SOURCE_DATE_EPOCH} ${CPACK_SBX_EPOCH})
find_program(touch touch)
if(touch)
    file(GLOB_RECURSE files LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/*)
    execute_process(COMMAND ${touch} -h -d @${CPACK_SBX_EPOCH} ${CPACK_TEMPORARY_DIRECTORY} ${files} COMMAND_ERROR_IS_FATAL ANY)
endif() # elsewhere the zip is as good, but not the same each time
