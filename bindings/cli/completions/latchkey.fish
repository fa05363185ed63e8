# Completion of the latchkey command for fish: installed as
# share/fish/vendor_completions.d/latchkey.fish.

# The words so far that are verbs, as "user key create", without flags and their values.
function __latchkey_path
    set -l words (commandline -opc)
    set -l path
    set -l skip 0
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --yes --each --dry-run --accept-broken-events --list --verify --revoked --deleted --help -h --version '--*=*'
            case --admin --private
                if contains -- "$path[-1]" update edit
                    set skip 1
                end
            case -o '--*'
                set skip 1
            case '-*'
            case '*'
                set -a path $word
        end
    end
    string join ' ' -- $path
end

# Whether the path is one of the arguments.
function __latchkey_at
    set -l path (__latchkey_path)
    contains -- "$path" $argv
end

# Whether the path begins with one of the arguments.
function __latchkey_in
    set -l path (__latchkey_path)
    for verb in $argv
        if test "$path" = "$verb"; or string match -q -- "$verb *" $path
            return 0
        end
    end
    return 1
end

complete -c latchkey -f

# The flags of every verb.
complete -c latchkey -l store -x -a '(__fish_complete_directories)' -d 'The store\'s folder'
complete -c latchkey -l pepper-file -r -F -d 'The store\'s pepper'
complete -c latchkey -l host -x -a 'http://127.0.0.1:61016' -d 'Work through this host'
complete -c latchkey -l key-file -r -F -d 'What to ask the host with'
complete -c latchkey -l key -x -d 'The key itself; better not'
complete -c latchkey -l ca-file -r -F -d 'Certificates that a host\'s must come from'
complete -c latchkey -s o -l output -x -a 'table json' -d 'For people or for programs'
complete -c latchkey -l yes -d 'Revoke and delete without asking'
complete -c latchkey -l version -d 'The version'
complete -c latchkey -s h -l help -d 'Help'

# Verbs.
set -l top init stats user project grant token verify identify import session check repair backup restore epoch
complete -c latchkey -n '__latchkey_at ""' -a "$top"
complete -c latchkey -n '__latchkey_at user' -a 'create list view update lock unlock delete key'
complete -c latchkey -n '__latchkey_at project' -a 'create list view update delete key'
complete -c latchkey -n '__latchkey_at grant' -a 'set remove list'
complete -c latchkey -n '__latchkey_at token "user key" "project key"' \
    -a 'list create view update revoke'

# Lists.
set -l owner_lists '"user list" "user ls" "project list" "project ls"'
set -l key_lists '"token list" "token ls" "user key list" "user key ls"'
set key_lists "$key_lists \"project key list\" \"project key ls\""
for list in $owner_lists $key_lists
    complete -c latchkey -n "__latchkey_in $list" -l name -x -d 'Exactly this name'
    complete -c latchkey -n "__latchkey_in $list" -l search -x -d 'Holds this text'
    complete -c latchkey -n "__latchkey_in $list" -l sort -x -a name -d 'What to sort by'
    complete -c latchkey -n "__latchkey_in $list" -l direction -x -a 'asc desc' -d 'Order'
    complete -c latchkey -n "__latchkey_in $list" -l page -x -d 'Which page, from 1'
    complete -c latchkey -n "__latchkey_in $list" -l per-page -x -d 'Rows on a page, 0 to 255'
end
complete -c latchkey -n "__latchkey_in $owner_lists" -l deleted -d 'The deleted ones instead'
complete -c latchkey -n "__latchkey_in $key_lists" -l revoked -d 'The revoked ones instead'

# Owners.
set -l user_makers '"user create" "user add" "user update" "user edit"'
set -l project_makers '"project create" "project add" "project update" "project edit"'
for maker in $user_makers $project_makers
    complete -c latchkey -n "__latchkey_in $maker" -l name -x -d '1 to 64 characters'
    complete -c latchkey -n "__latchkey_in $maker" -l slug -x -d 'Slug'
end
complete -c latchkey -n "__latchkey_in $user_makers" -l email -x -d 'E-mail'
complete -c latchkey -n '__latchkey_in "user create" "user add"' -l admin -d 'A server admin'
complete -c latchkey -n '__latchkey_in "user update" "user edit"' -l admin -x -a 'true false' \
    -d 'A server admin'
complete -c latchkey -n '__latchkey_in "project create" "project add"' -l private \
    -d 'Shown only to those with a role'
complete -c latchkey -n '__latchkey_in "project update" "project edit"' -l private -x \
    -a 'true false' -d 'Shown only to those with a role'
complete -c latchkey -n '__latchkey_in "grant set"' -a 'viewer developer maintainer'

# Credentials.
set -l creators '"token create" "token add" "user key create" "user key add"'
set creators "$creators \"project key create\" \"project key add\""
set -l updaters '"token update" "token edit" "user key update" "user key edit"'
set updaters "$updaters \"project key update\" \"project key edit\""
complete -c latchkey -n "__latchkey_in $creators $updaters" -l name -x -d '1 to 64 characters'
complete -c latchkey -n "__latchkey_in $creators" -l ttl -x -d 'Lifetime: seconds, 90d, 12h, 30m'
complete -c latchkey -n "__latchkey_in $creators" -l scope -x -a verify -d 'What it is limited to'

# The rest.
complete -c latchkey -n '__latchkey_in verify' -l each -d 'One secret a line'
complete -c latchkey -n '__latchkey_in verify' -l at -x -d 'What if it were then? Unix seconds'
complete -c latchkey -n '__latchkey_in verify' -l scope -x -a verify -d 'What it must be good for'
complete -c latchkey -n '__latchkey_in identify' -l sha256 -x -d 'Of the secret, 64 digits'
complete -c latchkey -n '__latchkey_in import' -F
complete -c latchkey -n '__latchkey_in import' -l dry-run -d 'Judge every line, change nothing'
complete -c latchkey -n '__latchkey_in repair' -l dry-run -d 'Say what is wrong, change nothing'
complete -c latchkey -n '__latchkey_in repair' -l accept-broken-events \
    -d 'Go on where the history is lost'
complete -c latchkey -n '__latchkey_in session' -l ttl -x -d 'Lifetime: seconds, 12h, 30m'
complete -c latchkey -n '__latchkey_in session' -l jwt-secret-file -r -F -d 'What the host signs with'
complete -c latchkey -n '__latchkey_in session' -l issuer -x -d 'The host\'s issuer, exactly'
complete -c latchkey -n '__latchkey_in backup' -l keep -x -d 'Drop the oldest until so many are left'
complete -c latchkey -n '__latchkey_in backup' -l list -d 'Show the backups instead'
complete -c latchkey -n '__latchkey_in backup' -l verify -d 'Compare one with its checksums instead'
complete -c latchkey -n '__latchkey_in backup' -l number -x -d 'Which one to verify'
complete -c latchkey -n '__latchkey_in restore' -l to -r -F -d 'The new store'
complete -c latchkey -n '__latchkey_in restore' -l damaged -r -F -d 'The store that is given up'
complete -c latchkey -n '__latchkey_in restore' -l revocations -r -F -d 'Also to be revoked'
complete -c latchkey -n '__latchkey_in restore' -l backup -x -d 'Which backup'
complete -c latchkey -n '__latchkey_in epoch' -l holds -x -d 'Refuse unless the store holds it'
