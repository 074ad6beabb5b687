# SPDX-License-Identifier: MIT
# What injected.bats and gated.bats share, beside helpers: programs as Debian
# ships them, under rules.  Servers without the object are run by peer.
# PORT and LOG are set in one test and read by its functions:
# shellcheck disable=SC2030,SC2031,SC2034

setup() {
	unset http_proxy https_proxy all_proxy no_proxy
	unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
	# not below bats' own directory: servers that give up root read here
	DIR=$(mktemp -d /tmp/sockwrench.XXXXXX)
	chmod 755 "$DIR"
	cd "$DIR" || return
	mkdir www
	mkfifo fifo
	PATH=/usr/sbin:/usr/bin:/sbin:/bin	# Debian's, whatever else is there
	seq 1 20000 >www/big
	printf 'GET /big HTTP/1.0\r\n\r\n' >request
	DAEMON=
	INPUT=/dev/null
	REALLY=()
	export HOME=$DIR GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a
	export GIT_COMMITTER_EMAIL=a LC_ALL=C.UTF-8 TZ=UTC
	CURL=(curl -q -sS --noproxy '*' -m 15)
	WGET=(wget --no-proxy -T 15 --waitretry=0)
}

teardown() {
	stop_background
	if [ -n "$DAEMON" ] && [ -s "$DAEMON" ]; then
		kill "$(cat "$DAEMON")" 2>/dev/null || true
	fi
	cd / && rm -rf "$DIR"
}

# ---- running ------------------------------------------------------------

# meets STATUS RULE PROG ARGS...: the rule fires on it, and it ends with that
# status (N|N).  The log has what was injected and nothing else.  @NAME is the
# rules of a preset, not all of which need fire.  NOLOG: of a call that is left
# by siglongjmp nothing is logged.
meets() {
	local expected=$1 rule=$2 how=(--must-fire -e "$2") status=0
	shift 2
	[[ $rule != @* ]] || how=(-r "${rule#@}")
	rm -f "$LOG"
	timeout 30 "$SW" run "${how[@]}" -o "$LOG" -- "$@" \
		<"$INPUT" >out 2>err || status=$?
	if ! [[ $status =~ ^($expected)$ ]]; then
		echo "status $status, not $expected, under $rule: $*" >&2
		tail -n 20 out err "$LOG" >&2
		return 1
	fi
	[ -n "${NOLOG:-}" ] || log_injected
}

# exits STATUS COMMAND...: it ends with that status (N|N).
exits() {
	local expected=$1 status=0
	shift
	"$@" || status=$?
	if ! [[ $status =~ ^($expected)$ ]]; then
		echo "status $status, not $expected: $*" >&2
		return 1
	fi
}

# log_injected: it has lines, and each ends in the name of a rule.
log_injected() {
	local line='^[0-9]+ [0-9]+\.[0-9]{6} [a-z_0-9]+\(.*\) = .* <[0-9.]+> \['

	if ! [ -s "$LOG" ]; then
		echo "nothing in the log under $rule" >&2
		return 1
	fi
	! grep -vE -- "$line"'[^] ]+:[0-9]+\]$' "$LOG" >&2
}

# says TEXT...: these are the lines of its standard error.
says() {
	diff <(printf '%s\n' "$@") err
}

# ends REGEX: the last line of its standard error.
ends() {
	if ! [[ $(tail -n 1 err) =~ ^$1$ ]]; then
		echo "not $1:" >&2
		cat err >&2
		return 1
	fi
}

# serve RULE PROG ARGS...: start it under the rule, or the preset @NAME, to be
# ended by finish.
serve() {
	local how=(-e "$1")
	[[ $1 != @* ]] || how=(-r "${1#@}")
	shift
	background "$SW" run -o "$LOG" "${how[@]}" -- "$@"
}

# finish [STATUS]: end what was started last; its status.
finish() {
	local pid=${PIDS[-1]}

	unset 'PIDS[-1]'
	kill "$pid"
	exits "${1:-0}" wait "$pid"
}

# said FILE REGEX [N]: until N such lines of output are there (20 s).
said() {
	local i

	for ((i = 0; i < 2000; i++)); do
		[ "$(grep -csE -- "$2" "$1" || true)" -ge "${3:-1}" ] &&
			return 0
		read -r -t 0.01 <> <(:) || true
	done
	echo "no $2 in $1:" >&2
	cat "$1" >&2
	return 1
}

# config NAME: the configuration in tests/programs, filled in.
config() {
	sed "s|@DIR@|$DIR|; s|@PORT@|$PORT|" \
		"$BATS_TEST_DIRNAME/programs/$1" >"$DIR/$1"
}

# peer END [BYTES]: a server without the object, its port in PORT.
peer() {
	background "$PYTHON" "$BATS_TEST_DIRNAME/progs/injected_server.py" \
		"$@" 1<>fifo 2>peer.err
	PORT=$(port_of fifo)
}

# web: the same that does no harm.  43 bytes of head, then www/big.
web() {
	peer whole
}

# sink FILE: a server that writes what arrives and how it ends into a file.
sink() {
	background "$PYTHON" "$BATS_TEST_DIRNAME/progs/injected_server.py" \
		sink >"$1" 2>peer.err
	said "$1" '^[0-9]+$'
	PORT=$(head -n 1 "$1")
}

# clean PORT PORT: what a message says, without what is always different.
# curl has two sentences, and takes that of the timer it looks at first.
clean() {
	sed -E "s/\b($1|$2)\b/PORT/g; s/after [0-9]+ ms/after N ms/;
		s/Failed to connect to .*: Timeout was reached/Connection timeout after N ms/;
		s/[0-9]{4}.[0-9]{2}.[0-9]{2}[ T][0-9:]{8}/DATE/g;
		s/socat\[[0-9]+\]/socat/; s/0x[0-9a-f]+/ADDRESS/;
		s/ +[0-9.]+[KMG]?=[0-9.]+s/ SPEED/; s/[0-9.]+ [KMG]?B\/s/SPEED/"
}

# alike REAL RULE PROG ARGS...: what PROG says and how it ends is the same at
# port REAL, where the thing happens (run by REALLY), and at PORT under the
# rule.  PORT among its arguments is the port.
alike() {
	local real=$1 rule=$2 expected=0 n
	shift 2
	timeout 30 "${REALLY[@]}" "${@//PORT/$real}" <"$INPUT" >real.out \
		2>real.err || expected=$?
	meets "$expected" "$rule" "${@//PORT/$PORT}"
	for n in out err; do
		clean "$real" "$PORT" <real.$n >real.clean
		clean "$real" "$PORT" <$n >clean
		cmp -s real.clean clean && continue
		echo "not what the real event gives: $rule: $*" >&2
		diff real.clean clean | head -n 20 >&2
		tail -n 20 "$LOG" >&2
		return 1
	done
}

URLLIB='import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())'

nginx_under() {
	PORT=$(free_port)
	config nginx.conf
	sed -i 's/^worker_processes .*/worker_processes 1;/' nginx.conf
	serve "$1" nginx -c "$DIR/nginx.conf" -g 'daemon off;' 2>err
	wait_for_port "$PORT"
}

python_under() {
	serve "$1" "$PYTHON" -u -m http.server 0 -b 127.0.0.1 -d www 1<>fifo \
		2>err
	PORT=$(port_of fifo | sed -E 's/.* port ([0-9]+) .*/\1/')
}

# get STATUS NAME: curl without the object, what it gets in NAME.body.
get() {
	local status=0
	rm -f "$2.body"
	"${CURL[@]}" -o "$2.body" -w '%{size_header} %{size_download}\n' \
		"http://127.0.0.1:$PORT/big" >"$2.sizes" 2>"$2.err" || status=$?
	if ! [[ $status =~ ^($1)$ ]]; then
		echo "status $status, not $1" >&2
		cat "$2.err" "$LOG" >&2
		return 1
	fi
}

# gets_all: it is served as if nothing had happened.
gets_all() {
	get 0 all
	cmp all.body www/big
}
