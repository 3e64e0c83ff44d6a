#!/bin/sh
# How fast the real Nix, rnix and we parse the .nix files of a folder, in one run:
#
#     benches/parse.sh FOLDER
#
# Nix parses all files in one process. Each of them is made a function (`_: …`), so that importing
# it evaluates nothing; the same process over no files is taken off. The best of five runs counts.
set -eu

tree=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$tree"
find . -name '*.nix' -type f -size +0 -print0 | tar --null -T - -cf - | tar -xf - -C "$work"
cd "$work"
find . -name '*.nix' -exec sed -i '1s/^/_: /' {} +

import="builtins.foldl' (n: file: builtins.seq (import file) (n + 1)) 0"
# Writes the list of files; those that Nix refuses are taken out first, one after the other.
while
    find . -name '*.nix' -printf '(./. + "/%P")\n' | sed '1i _: [' > files
    echo ']' >> files
    ! nix-instantiate --eval --expr "$import (import $work/files { })" > /dev/null 2> error
do
    refused=$(grep -o "$work/[^:]*\.nix" error | tail -n 1)
    echo "refused by Nix: ${refused#"$work"/}"
    rm "$refused"
done
bytes=$(find . -name '*.nix' -printf '%s\n' | awk '{ sum += $1 } END { print sum }')

# Seconds that Nix takes to import the files of a list.
seconds() {
    for _ in 1 2 3 4 5; do
        start=$(date +%s%N)
        nix-instantiate --eval --expr "$import ($1)" > /dev/null
        echo "$(date +%s%N) $start"
    done | awk '{ t = ($1 - $2) / 1e9; if (NR == 1 || t < best) best = t } END { print best }'
}

all=$(seconds "import $work/files { }")
none=$(seconds '[ ]')
echo "$bytes $all $none" |
    awk '{ printf "nix-instantiate: %.1f MB/s (%d bytes in %.2f s)\n", $1 / 1e6 / ($2 - $3), $1, $2 - $3 }'

cd "$here/.."
NIX_TREE=$tree cargo bench --bench parse -- 'parse/tree'
