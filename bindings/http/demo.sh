#!/bin/sh
# A host to try things on, until Ctrl-C:
#
#   sh bindings/http/demo.sh build/bin ./latchkey-run
#
# The first start makes the folder: a store, the secret that sessions are signed with, an admin, a
# project and a key of each. It shows the keys once, and what to paste. Later starts serve the same
# store and say how to make new keys. LATCHKEY_LISTEN and LATCHKEY_METRICS_LISTEN choose other
# ports; nothing else of the environment counts.
set -eu
umask 077

if [ $# -ne 2 ] || [ -z "$1" ] || [ -z "$2" ]; then
  echo 'usage: sh demo.sh FOLDER_OF_LATCHKEY_AND_LATCHKEYD FOLDER' >&2
  exit 2
fi
latchkey=$1/latchkey
latchkeyd=$1/latchkeyd
folder=$2
while [ "${folder%/}" != "$folder" ] && [ "$folder" != / ]; do folder=${folder%/}; done
case $folder in -*) folder=./$folder ;; esac

listen=${LATCHKEY_LISTEN:-127.0.0.1:61016}
metrics=${LATCHKEY_METRICS_LISTEN:-127.0.0.1:61017}
# What is set for everyday use must not change the demonstration, nor send it elsewhere.
for name in $(env | sed -n 's/^\(LATCHKEY_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done

url=http://$listen
user=admin
email=admin@example.com
project=demo

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$(printf '\033[1m') off=$(printf '\033[0m')
else
  bold='' off=''
fi

fail() {
  printf 'demo: %s\n' "$1" >&2
  exit 1
}

say() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }

# made STORE ARGUMENTS...: what the command says it made, as JSON.
made() {
  store=$1
  shift
  "$latchkey" --store "$store" --output json "$@" || fail "'latchkey $1' failed: see above"
}

member() { sed -n "s/^ *\"$1\": \"\([^\"]*\)\".*/\1/p"; }

# Makes everything in $1. It gets its name only when it is whole, so that a first start which was
# broken off can be repeated.
make() {
  mkdir -- "$1" || fail "the folder $1 cannot be made"
  od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' >"$1/jwt.secret"
  [ "$(wc -c <"$1/jwt.secret")" -eq 64 ] || fail 'no random bytes came from /dev/urandom'
  made "$1/store" init >/dev/null
  made "$1/store" user create --name Admin --slug "$user" --email "$email" --admin >/dev/null
  made "$1/store" project create --name Demo --slug "$project" --private >/dev/null
  user_key=$(made "$1/store" user key create "$user" --name first | member key)
  project_key=$(made "$1/store" project key create "$project" --name first | member key)
  session=$(made "$1/store" session "$email" --jwt-secret-file "$1/jwt.secret" --ttl 24h |
    member token)
  [ -n "$user_key" ] && [ -n "$project_key" ] && [ -n "$session" ] || fail 'a key was not shown'
}

show_first() {
  say "Made $folder. These are shown once; the session lasts 24 hours. In another shell:"
  cat <<END
URL=$url
USER_KEY=$user_key
PROJECT_KEY=$project_key
SESSION=$session
END
  say 'Then, for example: who am I; is this key good; a new key, which only a session may create'
  cat <<END
curl -w '\\n' --oauth2-bearer "\$USER_KEY" \$URL/v0/users/$user
curl -w '\\n' --oauth2-bearer "\$USER_KEY" --json '{"token":"'\$PROJECT_KEY'"}' \$URL/v0/verify
curl -w '\\n' --oauth2-bearer "\$SESSION" --json '{"name":"ci"}' \$URL/v0/users/$user/keys
END
}

show_again() {
  say "Serving the store in $folder. Its keys are shown only when they are made; for new ones:"
  cat <<END
URL=$url
SESSION=\$($latchkey session $email --jwt-secret-file $folder/jwt.secret --ttl 24h)
curl -w '\\n' --oauth2-bearer "\$SESSION" --json '{"name":"a"}' \$URL/v0/users/$user/keys
curl -w '\\n' --oauth2-bearer "\$SESSION" --json '{"name":"a"}' \$URL/v0/projects/$project/keys
END
}

for program in "$latchkey" "$latchkeyd"; do
  [ -x "$program" ] || fail "there is no program $program"
done
if [ -f "$folder/jwt.secret" ] && [ -f "$folder/store/LATCHKEY" ]; then
  show_again
else
  if [ -e "$folder" ] || [ -L "$folder" ]; then
    fail "$folder is there already, and no demonstration made it: nothing was changed.
Name another folder, or remove it yourself."
  fi
  unfinished=$folder.unfinished
  if [ -e "$unfinished" ] || [ -L "$unfinished" ]; then
    fail "$unfinished is left over from a start that was broken off. Remove it, then try again."
  fi
  trap 'rm -rf -- "$unfinished"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  make "$unfinished"
  mv -- "$unfinished" "$folder"
  trap - EXIT INT TERM
  show_first
fi

say "Serving $url until Ctrl-C"
exec "$latchkeyd" --store "$folder/store" --jwt-secret-file "$folder/jwt.secret" \
  --listen "$listen" --metrics-listen "$metrics"
