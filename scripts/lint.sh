#!/bin/sh
# Checks that need no build: format, banned calls, sizes, scripts, links between documents.
# Says everything that it finds; exit code 1 if there was anything.
set -u
cd "$(dirname "$0")/.." || exit 1

red=0
# complain TITLE TEXT: prints both and turns the result red, unless TEXT is empty.
complain() {
    [ -n "$2" ] || return 0
    printf '%s:\n%s\n\n' "$1" "$2"
    red=$((red + 1))
}

c_files=$(git ls-files --cached --others --exclude-standard '*.c' '*.h')
text_files=$(git ls-files --cached --others --exclude-standard |
    grep -Ev '\.(gz|safetensors|png|svg)$|^LICENSE$|^tests/(data|fuzz/corpus)/')
formatter=$(command -v clang-format-14 || command -v clang-format) || formatter=

if [ -z "$formatter" ]; then
    complain "format" "clang-format-14 is not installed: scripts/bootstrap.sh tests"
else
    # shellcheck disable=SC2086
    complain "not as .clang-format has it (cure: clang-format-14 -i FILE)" \
        "$($formatter --dry-run $c_files 2>&1 | sed -n 's/: warning: code should be.*//p' |
            cut -d: -f1,2 | sort -u -t: -k1,1)"
fi

banned='\b(sprintf|vsprintf|strcpy|strcat|strncpy|strtok|atoi|atof|gets|system|alloca|setlocale)\('
complain "banned calls" "$(grep -nE "$banned" $c_files)"

# Paths of somebody's machine and hosts of package registries have no business here. The patterns
# are written so that they do not find themselves.
places='[/](work|root|home|Users)/[A-Za-z.]|np[m]js|\bp[y]pi\b|crate[s]\.io'
hosts='\b(registr[y]|de[b]|prox[y])\.[a-z0-9-]+\.(org|com|io|net)'
complain "paths and hosts" "$(grep -nIE "$places|$hosts" $text_files)"

complain "over 500 lines: probably two nouns" \
    "$(for f in $(printf '%s\n' "$text_files" | grep -E '\.(c|h|py|tsx?|mjs|css|sh)$'); do
        lines=$(wc -l <"$f")
        [ "$lines" -le 500 ] || echo "$f: $lines"
    done)"

# A function's body stands between a brace in the first column and its closing one.
complain "functions over 70 lines" \
    "$(awk 'FNR == 1 {open = 0}
        /^\{/ {open = FNR}
        /^\}/ {if (open && FNR - open - 1 > 70) print FILENAME ":" open ": " FNR - open - 1
               open = 0}' $c_files)"

complain "OpenMP without default(none)" \
    "$(grep -nE '^#pragma omp parallel' $c_files | grep -v 'default(none)')"

for script in scripts/*.sh .ci/run; do
    said=$(sh -n "$script" 2>&1) || complain "shell" "$script: $said"
done

# Relative links of the documents lead to files that are there.
complain "dead links" \
    "$(for page in $(printf '%s\n' "$text_files" | grep '\.md$'); do
        grep -oE '\]\([^)#: ]+(#[^) ]*)?\)' "$page" | sed 's/^](//; s/)$//; s/#.*//' |
            while read -r link; do
                [ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
            done
    done)"

echo "lint: $red kinds of complaint in $(printf '%s\n' "$text_files" | wc -l) files"
[ $red = 0 ]
