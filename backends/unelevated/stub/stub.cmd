@echo %~n0: the network is off in this sandbox; to allow it, start the command with `sbx --network on`>&2
@exit /b 1
