// The completion scripts. Each calls `coi __complete --described`, which prints lines of the form `word<TAB>text`, and
// `:files` as the last line if paths are possible, too. The words contain nothing that a shell would expand.

/**
 * bash breaks words at = and : and replaces only the last piece, so they are joined before coi is called. If Tab (9) lists
 * (63) several candidates, each has its description: bash inserts only their common prefix, which is never part of a
 * description. Other keys, such as M-* and menu-complete, insert the candidates, so they get no descriptions.
 */
export const bash = `_coi() {
  local IFS=$'\\n' broken= from=0 width=0 i line word text files=
  local -a words=() found=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((\${#words[@]})) && [[ $broken || $word == [=:]* ]]; then words[-1]+=$word; else words+=("$word"); fi
    [[ $word == [=:]* ]] && broken=1 || broken=
  done
  word=\${words[-1]}
  [[ $word == *[=:]* ]] && word=\${word%"\${word##*[=:]}"} && from=\${#word}
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; continue; fi
    found+=("\${line:from}")
    word=\${line%%$'\\t'*}
    ((\${#word} - from > width)) && width=$((\${#word} - from))
  done < <(coi __complete --described -- "\${words[@]}" 2>/dev/null)
  COMPREPLY=()
  for line in "\${found[@]}"; do
    word=\${line%%$'\\t'*} text=\${line#*$'\\t'}
    if ((\${#found[@]} > 1)) && [[ $line == *$'\\t'* && \${COMP_TYPE-} =~ ^(9|63)$ ]]; then
      printf -v line '%-*s  (%s' "$width" "$word" "$text"
      line=\${line:0:\${COLUMNS:-80}-3}\\)
      COMPREPLY+=("$line")
    else
      COMPREPLY+=("$word")
    fi
  done
  [[ $files ]] && compopt -o default 2>/dev/null
  [[ \${#found[@]} == 1 && $word == *[=:] ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _coi coi`;

/** Works as a file \`_coi\` of the fpath and with \`source <(coi completion zsh)\`. */
export const zsh = `#compdef coi
_coi() {
  local -a described open
  local line word files=
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; continue; fi
    word=\${line%%$'\\t'*}
    line=\${word//:/\\\\:}\${\${line#$word}/$'\\t'/:}
    if [[ $word == *[=:] ]]; then open+=("$line"); else described+=("$line"); fi
  done < <(coi __complete --described -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)
  (( $#described )) && _describe -V coi described
  (( $#open )) && _describe -V coi open -S ''
  if [[ -n $files ]]; then
    compset -P '--[^=]#='
    _files
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _coi "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _coi coi
fi`;

export const fish = `function __coi_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for line in (coi __complete --described -- $words "$current" 2>/dev/null)
        if test "$line" = :files
            set -l flag (string match -r -- '^--[^=]+=' "$current")
            for path in (__fish_complete_path (string replace -- "$flag" '' "$current"))
                echo -- "$flag$path"
            end
        else
            echo -- $line
        end
    end
end
complete -c coi -f -k -a '(__coi_complete)'`;

/** The word at the cursor is empty if the line ends with a space. */
export const powershell = `Register-ArgumentCompleter -Native -CommandName coi -ScriptBlock {
  param($word, $line, $at)
  $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($word -eq '') { $words += '' }
  coi __complete --described -- @words 2>$null | Where-Object { $_ -ne ':files' } | ForEach-Object {
    $name, $text = $_ -split "\`t", 2
    if (-not $text) { $text = $name }
    [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $text)
  }
}`;
