<#
.SYNOPSIS
What a Windows machine says to the questions that documents leave open (README.md beside this file), in a zip that can be sent.
.DESCRIPTION
Starts sbx-first-hour.exe, which has the logic, and collects what it prints. Nothing is installed and nothing is left but the
zip; the user's name and the machine's part of SIDs are taken out of it. Takes about a minute; windows of a console flash.
.PARAMETER Build
A folder of a build (bin\sbx.exe, e2e\sbx-first-hour.exe). By default both lie beside this script, or sbx.exe on the PATH.
.PARAMETER Also
Folders on other volumes that a command is asked about, such as Z:\, \\server\share, \\tsclient\C, \\wsl.localhost\Debian\tmp.
.PARAMETER Out
Where the zip goes; by default the current folder.
.EXAMPLE
powershell -ExecutionPolicy Bypass -File first-hour.ps1 -Also E:\,\\server\share
#>
param([string]$Build, [string[]]$Also = @(), [string]$Out = '.')
$ErrorActionPreference = 'Stop'

function Find([string[]]$Places) {
    foreach ($place in $Places) {
        if ($place -and (Test-Path -LiteralPath $place -PathType Leaf)) { return (Resolve-Path -LiteralPath $place).ProviderPath }
    }
    throw "not found: $($Places -join ', ')"
}

if ($Build) {
    $sbx = Find "$Build\bin\sbx.exe"
    $probe = Find "$Build\e2e\sbx-first-hour.exe"
} else {
    $onPath = Get-Command sbx.exe -ErrorAction SilentlyContinue
    $sbx = Find "$PSScriptRoot\sbx.exe", "$PSScriptRoot\bin\sbx.exe", $(if ($onPath) { $onPath.Source })
    $probe = Find "$PSScriptRoot\sbx-first-hour.exe", "$PSScriptRoot\e2e\sbx-first-hour.exe"
}
$Also = @($Also -split ',' | Where-Object { $_ }) # -File hands a list over as one word
$Out = (Resolve-Path -LiteralPath $Out).ProviderPath
$name = 'sbx-first-hour-' + (Get-Date -Format 'yyyyMMdd-HHmmss')
$scratch = Join-Path $env:USERPROFILE 'sbx-first-hour' # not in TEMP, which a sandbox has for itself
$said = Join-Path $Out "$name.txt"
$errors = Join-Path $Out "$name.err"

# a path that ends in a backslash would take the quote behind it
$words = @('all', $sbx, $scratch) + $Also | ForEach-Object { '"' + ($_ -replace '\\$', '\\') + '"' }
$run = Start-Process -FilePath $probe -ArgumentList $words -NoNewWindow -Wait -PassThru -RedirectStandardOutput $said -RedirectStandardError $errors

$lines = @("sbx: $(& $sbx --version)", "exit code: $($run.ExitCode)") + (Get-Content -LiteralPath $said) +
    '--- stderr' + (Get-Content -LiteralPath $errors)
Remove-Item -LiteralPath $errors
$lines | ForEach-Object {
    $_ -replace [regex]::Escape("\$env:USERNAME\"), '\USER\' -replace 'S-1-5-21-\d+-\d+-\d+-', 'S-1-5-21-M-'
} | Set-Content -LiteralPath $said -Encoding UTF8
Compress-Archive -LiteralPath $said -DestinationPath (Join-Path $Out "$name.zip")

Write-Output "written: $Out\$name.txt and .zip"
Write-Output @'
By hand, each in a minute:
  U2  again with -Also: a mapped drive, \\server\share, an exFAT stick, \\tsclient\C in a remote desktop, \\wsl.localhost\NAME\tmp
  U3  in a virtual machine, from `sbx -- cmd`: schtasks /create and /run, subst X: C:\, New-Object -Com Shell.Application
  U4  Process Monitor, filter "conhost.exe" and ACCESS DENIED, while `sbx -- powershell -c 1` runs
  U5  as an administrator at the default UAC level: the IFileOperation elevation sample inside of `sbx -- cmd`
  U6  this script in an elevated prompt
  U7  this script over SSH (by key, by password), over WinRM, as a task that runs "whether logged on or not"
  E1, E7  after sbx setup, in the folder of the programs: sbx --backend elevated -- .\sbx-first-hour.exe network elevated .
          and in an elevated prompt: sbx-first-hour network here .
'@
exit $run.ExitCode
