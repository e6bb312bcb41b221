# bash completion for vnetctl(8)                                        -*- shell-script -*-
#
# Everything comes from vnetctl itself: commands and options from --commands and --options, names and columns from the daemon (asked for
# at most a second; without it there are none). Words are taken from the line, since bash would split them at '=' and ':'.

# Runs vnetctl with the connection options of the line being completed.
_vnetctl_ask() {
    "$_vnetctl_program" "${_vnetctl_connection[@]}" --timeout=1 --format=csv "$@" 2>/dev/null
}

_vnetctl_usages() {
    "$_vnetctl_program" --commands 2>/dev/null
}

_vnetctl_types() {
    _vnetctl_usages | sed -n 's/^\(\[--[^]]*\] \)\{0,1\}\([a-z-]*\)-\(list\|add\)\( .*\)\{0,1\}$/\2/p' | sort -u
}

_vnetctl_names() {
    _vnetctl_ask --no-headings --columns=name list "$1" | tr -d '"'
}

# A listing of nothing has headings all the same.
_vnetctl_columns() {
    _vnetctl_ask find "$1" id=none | head -n 1 | tr ',' '\n'
}

# Columns of what the line lists behind the cursor; if it does not say that yet, those of all types.
_vnetctl_listed_columns() {
    local rest type=''
    read -ra rest <<<"${COMP_LINE:COMP_POINT}"
    while [[ ${rest[0]} == -* ]]; do
        rest=("${rest[@]:1}")
    done
    case ${rest[0]} in
    list | find) type=${rest[1]} ;;
    *-list) type=${rest[0]%-list} ;;
    esac
    for type in ${type:-$(_vnetctl_types)}; do
        _vnetctl_columns "$type"
    done | sort -u
}

# A list of columns: the last is completed. $1: what stands before the list.
_vnetctl_column_list() {
    local given="${_vnetctl_current#"$1"}" before=''
    [[ $given == *,* ]] && before="${given%,*},"
    _vnetctl_offer < <(_vnetctl_listed_columns | sed "s|^|$1$before|")
}

# Offers those of the words that begin with the current one, less what stands before bash's last word break in it.
_vnetctl_offer() {
    local broken="${_vnetctl_current%"${_vnetctl_current##*[=:]}"}" word
    while IFS= read -r word; do
        [[ -n $word && $word == "$_vnetctl_current"* ]] || continue
        COMPREPLY+=("${word#"$broken"}")
        [[ $word == *= || $word == *: ]] && compopt -o nospace 2>/dev/null
    done
}

# What an argument may be. $1: its placeholder, $2: the command, $3: the type given to a generic command.
_vnetctl_argument() {
    local type
    case $1 in
    TYPE) _vnetctl_types ;;
    NAME) [[ -n $3 ]] && _vnetctl_names "$3" ;;
    COLUMN) _vnetctl_columns "$3" ;;
    TARGET) printf '%s\n' blackhole igw; _vnetctl_names port | sed 's/^/port:/'; _vnetctl_names natgw | sed 's/^/natgw:/' ;;
    'PORT|lb:LB|natgw:NATGW') _vnetctl_names port; _vnetctl_names lb | sed 's/^/lb:/'; _vnetctl_names natgw | sed 's/^/natgw:/' ;;
    'ingress|egress') printf '%s\n' ingress egress ;;
    PROTO) printf '%s\n' tcp udp; [[ $2 == tg-add ]] || printf '%s\n' icmp icmp6 all ;;
    PROTO:PORT) [[ $2 == listener-add ]] && printf '%s\n' tcp: udp: || _vnetctl_names listener | sed -n "s|^$3/||p" ;;
    PREFIX) [[ $2 == route-add ]] || _vnetctl_ask --no-headings --columns=prefix route-list "$3" ;;
    PEER) printf '0.0.0.0/0\n'; _vnetctl_names sg | sed 's/^/sg:/' ;;
    RULE) _vnetctl_names sg-rule ;;
    PORT) [[ $2 == tg-add ]] || [[ $2 == port-add ]] || _vnetctl_names port ;;
    IP) [[ $2 == eip-add ]] || _vnetctl_names eip ;;
    PACKET) printf '%s\n' icmp tcp udp ;;
    'PORT|POOL:SRC') _vnetctl_names port; _vnetctl_names pool | sed 's/$/:/' ;;
    *)
        type=${1,,}
        # The last name of an '-add' is a new one.
        [[ $2 == "$type-add" ]] || ! _vnetctl_types | grep -qxF -- "$type" || _vnetctl_names "$type"
        ;;
    esac
}

# COLUMN=VALUE words. $1: usage, $2: the type given to a generic command.
_vnetctl_value() {
    local column=${_vnetctl_current%%=*}
    if [[ $_vnetctl_current == *=* ]]; then
        case $column in
        sg) printf 'sg=none\n'; _vnetctl_names sg | sed 's/^/sg=/' ;;
        rtb | vpc | subnet | host | pool | lb | tg) _vnetctl_names "$column" | sed "s/^/$column=/" ;;
        attached) _vnetctl_names port | sed 's/^/attached=port:/'; _vnetctl_names natgw | sed 's/^/attached=natgw:/'; _vnetctl_names lb | sed 's/^/attached=lb:/' ;;
        state)
            [[ $2 == instance ]] && printf 'state=%s\n' running migrating paused crashed off || printf 'state=%s\n' unbound building active error ;;
        health) printf 'health=%s\n' initial healthy unhealthy draining ;;
        direction) printf 'direction=%s\n' ingress egress ;;
        affinity) printf "affinity=%s\n" none source ;;
        check) printf "check=%s\n" tcp icmp none ;;
        source_dest_check | connected | realised | agent | fail_open | default | main) printf "$column=%s\n" true false ;;
        role) printf "role=%s\n" admin reader tenant: ;;
        esac
    elif [[ $1 == *COLUMN=VALUE* ]]; then
        _vnetctl_columns "$2" | sed 's/$/=/'
    elif [[ $1 == *TYPE=N* ]]; then
        _vnetctl_types | grep -vxE 'host|instance|orphan|pool|tenant' | sed 's/$/=/'         # of tenants' objects
    else
        grep -o '[a-z_]\+=' <<<"$1"
    fi
}

# The words after the last "--", or after the options. $@: those before the current one.
_vnetctl_command() {
    local options=() command usage placeholders=() given=() word
    while [[ $# -gt 0 && $1 == -* ]]; do
        options+=("$1")
        shift
    done
    if [[ $# -eq 0 ]]; then
        _vnetctl_offer < <(_vnetctl_usages | sed 's/^\[--[^]]*\] //; s/ .*//' | sort -u; "$_vnetctl_program" --options | grep -o -- '--[a-z-]*=\{0,1\}')
        return
    fi
    command=$1
    shift
    if [[ $command == pki ]]; then
        if [[ $# -eq 0 ]]; then
            _vnetctl_offer < <(printf '%s\n' init host client)
            return
        fi
        command="pki $1"
        shift
    fi
    usage=$(_vnetctl_usages | sed 's/^\[--[^]]*\] //' | grep -- "^$command\( \|$\)") || return
    for word in ${usage#"$command"}; do
        [[ $word == *=* ]] || placeholders+=("$(tr -d '[].' <<<"$word")")
    done
    for word; do
        [[ $word == *=* ]] || given+=("$word")
    done
    if [[ ${#given[@]} -lt ${#placeholders[@]} && $_vnetctl_current != *=* ]]; then
        _vnetctl_offer < <(_vnetctl_argument "${placeholders[${#given[@]}]}" "$command" "${given[0]}")
    elif [[ $usage == *=* ]]; then
        _vnetctl_offer < <(_vnetctl_value "$usage" "${given[0]}")
    elif [[ $usage == *']...' ]]; then
        _vnetctl_offer < <(_vnetctl_argument "${placeholders[-1]}" "$command" "${given[0]}")
    fi
}

# Values of options. Returns 1 if the current word is none.
_vnetctl_option_value() {
    case $1 in
    -f | --format) _vnetctl_offer < <(printf '%s\n' table list json csv) ;;
    --format=*) _vnetctl_offer < <(printf -- '--format=%s\n' table list json csv) ;;
    --columns) _vnetctl_column_list '' ;;
    --columns=*) _vnetctl_column_list --columns= ;;
    --wait=*) _vnetctl_offer < <(printf -- '--wait=%s\n' none hosts) ;;
    -t | --tenant) _vnetctl_offer < <(_vnetctl_names tenant) ;;
    --tenant=*) _vnetctl_offer < <(_vnetctl_names tenant | sed 's/^/--tenant=/') ;;
    --batch=* | --dir=* | --private-key=* | --certificate=* | --ca-cert=*)
        _vnetctl_offer < <(compgen -f -- "${1#*=}" | sed "s|^|${1%%=*}=|") ;;
    -p | -c | -C) _vnetctl_offer < <(compgen -f -- "$_vnetctl_current") ;;
    *) return 1 ;;
    esac
}

_vnetctl() {
    local _vnetctl_program=$1 _vnetctl_current='' _vnetctl_connection=() words i
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    if [[ $line != *[[:blank:]] ]]; then
        _vnetctl_current=${words[-1]}
        unset 'words[-1]'
    fi
    COMPREPLY=()

    # Global options: remember those that say which daemon and who asks.
    for ((i = 1; i < ${#words[@]}; i++)); do
        case ${words[i]} in
        -t | -p | -c | -C | --server | --tenant | --private-key | --certificate | --ca-cert)
            [[ $((i + 1)) -lt ${#words[@]} ]] && _vnetctl_connection+=("${words[i]}" "${words[i + 1]}")
            ((i++)) ;;
        -f | --format | --columns | --wait | --timeout | --batch | --dir) ((i++)) ;;
        --server=* | --tenant=* | --private-key=* | --certificate=* | --ca-cert=*) _vnetctl_connection+=("${words[i]}") ;;
        -*) ;;
        *) break ;;
        esac
    done
    if [[ $i -ge ${#words[@]} ]]; then
        if [[ $i -gt ${#words[@]} ]]; then
            _vnetctl_option_value "${words[-1]}"
            return
        fi
        _vnetctl_option_value "$_vnetctl_current" && return
    fi

    local command=("${words[@]:i}") j
    for ((j = ${#command[@]} - 1; j >= 0; j--)); do
        [[ ${command[j]} == -- ]] && break
    done
    _vnetctl_command "${command[@]:j+1}"
}

complete -F _vnetctl vnetctl
