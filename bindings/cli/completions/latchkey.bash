# Completion of the latchkey command for bash: sourced, or installed as
# share/bash-completion/completions/latchkey.

# The verbs below "$1", which is the path of verbs so far: "user key".
_latchkey_verbs() {
  case $1 in
    '') echo init stats user project grant token verify identify import session check \
      repair backup restore epoch ;;
    user) echo create list view update lock unlock delete key ;;
    project) echo create list view update delete key ;;
    grant) echo set remove list ;;
    token | 'user key' | 'project key') echo list create view update revoke ;;
  esac
}

# The flags of the verb "$1", and those of every verb.
_latchkey_flags() {
  case $1 in
    'user list' | 'user ls' | 'project list' | 'project ls')
      echo --name --search --deleted --sort --direction --page --per-page ;;
    grant*) ;;
    *' list' | *' ls') echo --name --search --revoked --sort --direction --page --per-page ;;
    'user create' | 'user add' | 'user update' | 'user edit') echo --name --slug --email --admin ;;
    'project create' | 'project add' | 'project update' | 'project edit')
      echo --name --slug --private ;;
    *' create' | *' add') echo --name --ttl --scope ;;
    *' update' | *' edit') echo --name ;;
    verify) echo --each --at --scope ;;
    identify) echo --sha256 ;;
    import) echo --dry-run ;;
    repair) echo --dry-run --accept-broken-events ;;
    session) echo --ttl --jwt-secret-file --issuer ;;
    backup) echo --keep --list --verify --number ;;
    restore) echo --to --damaged --revocations --backup ;;
    epoch) echo --holds ;;
  esac
  echo --store --pepper-file --host --key-file --key --ca-file --output --yes --version --help
}

_latchkey() {
  local word path='' skip=0 positionals=0 i
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if ((skip)); then
      [[ $word == = ]] || skip=0
      continue
    fi
    case $word in
      --yes | --each | --dry-run | --accept-broken-events | --list | --verify | --revoked | --deleted | --help | -h | --version) ;;
      --admin | --private) case $path in *' update' | *' edit') skip=1 ;; esac ;;
      -o | --*) skip=1 ;;
      -*) ;;
      *)
        if [[ " $(_latchkey_verbs "$path") ls add get edit rm " == *" $word "* &&
              -n $(_latchkey_verbs "$path") ]]; then
          path=${path:+$path }$word
        else
          positionals=$((positionals + 1))
        fi
        ;;
    esac
  done
  # bash splits at "=", so that --output=json is three words.
  if [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $current == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 1]} current=''
  fi
  COMPREPLY=()
  case $previous in
    --store | --to | --damaged)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return
      ;;
    --pepper-file | --key-file | --ca-file | --jwt-secret-file | --revocations)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    -o | --output) mapfile -t COMPREPLY < <(compgen -W 'table json' -- "$current") ;;
    --direction) mapfile -t COMPREPLY < <(compgen -W 'asc desc' -- "$current") ;;
    --sort) mapfile -t COMPREPLY < <(compgen -W 'name' -- "$current") ;;
    --scope) mapfile -t COMPREPLY < <(compgen -W 'verify' -- "$current") ;;
    --admin | --private)
      case $path in
        *' update' | *' edit')
          mapfile -t COMPREPLY < <(compgen -W 'true false' -- "$current")
          return
          ;;
      esac
      ;;
    --name | --search | --slug | --email | --ttl | --page | --per-page | --at | --sha256 | \
      --issuer | --key | --host | --keep | --number | --backup | --holds) return ;;
  esac
  if ((${#COMPREPLY[@]})) || ((skip)); then return; fi
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_latchkey_flags "$path")" -- "$current")
  elif [[ -n $(_latchkey_verbs "$path") ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_latchkey_verbs "$path")" -- "$current")
  elif [[ $path == 'grant set' ]] && ((positionals == 2)); then
    mapfile -t COMPREPLY < <(compgen -W 'viewer developer maintainer' -- "$current")
  elif [[ $path == import ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -F _latchkey latchkey
