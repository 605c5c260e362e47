#!/bin/sh
# msi.sh WXS TREE ARCHITECTURE OUT.msi UUID TIME: what wixl makes of WXS, with what it does not know, as tables in one order.
#
# wixl has no table Environment ("=-*": a variable of the machine, and what was added is taken away again), puts actions where they
# may not stand (MSDN "Environment Table", "RemoveExistingProducts Action", "Suggested InstallExecuteSequence"), and leaves strings in
# the order of addresses, with a UUID and the hour of its own.
set -eu
export LC_ALL=C TZ=UTC
out=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$2" && wixl -a "$3" -o "$work/raw.msi" "$1")
msidump -t -s -d "$work" "$work/raw.msi" > /dev/null
cd "$work"

table() { printf '%b\r\n' "$@"; }
table 'Environment\tName\tValue\tComponent_' 's72\tl255\tL255\ts72' 'Environment\tEnvironment' \
    'PATH\t=-*PATH\t[~];[INSTALLDIR]\tc.path' > Environment.idt
for row in RemoveExistingProducts=1501 Undo=3299 Converge=5201; do
    sed -i "s/^\(${row%=*}\t.*\t\)[0-9]*/\1${row#*=}/" InstallExecuteSequence.idt
    grep -q "^${row%=*}	.*	${row#*=}" InstallExecuteSequence.idt
done
sed -i "s|^9\t.*|9\t{$5}\r|; s|^\(1[23]\t\).*|\1$6\r|" _SummaryInformation.idt

set --
for file in *.idt; do
    [ "$file" != _ForceCodepage.idt ] || continue
    { head -n 3 "$file"; tail -n +4 "$file" | sort; } > "$file.sorted"
    mv "$file.sorted" "$file"
    set -- "$@" -i "$file"
done
msibuild new.msi "$@" -a sbx.cab _Streams/sbx.cab
mv new.msi "$out"
