#!/bin/sh
# The life of a key, each command shown as it runs, in a store of its own:
#
#   sh bindings/cli/tour.sh build/bin/latchkey ./latchkey-tour
#
# Exits 0 only when every verification came out as it should: allowed while the key lived, denied
# once it was revoked. Run again, it replaces the store that it made itself, and no other: the file
# STORE.tour holds the identity of that store.
set -eu

if [ $# -ne 2 ] || [ -z "$1" ] || [ -z "$2" ]; then
  echo 'usage: sh tour.sh LATCHKEY STORE' >&2
  exit 2
fi
latchkey=$1
store=$2
while [ "${store%/}" != "$store" ] && [ "$store" != / ]; do store=${store%/}; done
case $store in -*) store=./$store ;; esac
marker=$store.tour
data=$(dirname -- "$0")/tour.ndjson

# What is set for everyday use must not change what the tour shows.
unset LATCHKEY_PEPPER_FILE LATCHKEY_HOST LATCHKEY_OUTPUT LATCHKEY_YES LATCHKEY_TTL LATCHKEY_PER_PAGE
LATCHKEY_STORE=$store
export LATCHKEY_STORE

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$(printf '\033[1m') green=$(printf '\033[1;32m') off=$(printf '\033[0m')
else
  bold='' green='' off=''
fi

fail() {
  printf 'tour: %s\n' "$1" >&2
  exit 1
}

say() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }

show() { printf '%s$ %s%s\n' "$green" "$1" "$off"; }

# run ARGUMENTS...: shows `latchkey ARGUMENTS...`, runs it, and leaves what it printed in $printed.
run() {
  shown=latchkey
  for word in "$@"; do
    case $word in
      *[!0-9A-Za-z./_=-]*) shown="$shown '$word'" ;;
      *) shown="$shown $word" ;;
    esac
  done
  show "$shown"
  printed=$("$latchkey" "$@") || fail "'$shown' failed"
  printf '%s\n' "$printed"
}

# verify SECRET BEGINNING: the answer must begin so.
verify() {
  show "printf %s $1 | latchkey verify"
  answer=$(printf %s "$1" | "$latchkey" verify) && code=0 || code=$?
  printf '%s\n' "$answer"
  case $code:$answer in
    "0:allowed  $2"* | "1:denied  $2"*) ;;
    *) fail "that answer is wrong (exit code $code)" ;;
  esac
}

store_id() { "$latchkey" stats --output json | sed -n 's/^ *"store_id": "\([0-9a-f-]*\)".*/\1/p'; }

# Whether what lies at $store is the store that an earlier tour made.
is_ours() {
  [ -f "$marker" ] && [ ! -L "$marker" ] && [ -d "$store" ] && [ ! -L "$store" ] || return 1
  id=$(store_id 2>/dev/null) || return 1
  [ -n "$id" ] && [ "$(cat -- "$marker")" = "latchkey tour $id" ]
}

for path in "$store" "$store.pepper"; do
  if [ -e "$path" ] || [ -L "$path" ]; then
    is_ours || fail "$path is there already, and no tour made it: nothing was changed.
Name another folder for the tour's store, or remove $store, $store.pepper and $marker yourself."
    rm -rf -- "$store"
    rm -f -- "$store.pepper" "$marker"
  fi
done

say 'A store, and the pepper beside it'
show "export LATCHKEY_STORE=$store"
run init
printf 'latchkey tour %s\n' "$(store_id)" >"$marker"

say 'Taken over from another system: a user, a project, a role, and keys known only by digest'
run import "$data"
run user list
run grant list the-computer

say 'The secrets that were handed out back then still work'
verify bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh user_key
verify bencher_run_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh project_key
verify "$(sed -n 's/.*"jwt":"\([^"]*\)".*/\1/p' <"$data")" user_token

say 'A new key'
run user key create muriel-bagge --name 'CI key' --ttl 90d
secret=$(printf '%s\n' "$printed" | sed -n 's/^key  *//p')
[ -n "$secret" ] || fail 'no key was shown'
verify "$secret" user_key

say 'Listed, found, renamed'
run user key list muriel-bagge
run user key list muriel-bagge --search 'ci k'
run user key update muriel-bagge ci-key --name 'CI key of the old runner'

say 'Revoked: from here on it never works again'
run user key revoke muriel-bagge ci-key --yes
run user key list muriel-bagge --revoked
verify "$secret" revoked

say "That was the tour. Its store is $store: export LATCHKEY_STORE=$store, then latchkey --help."
