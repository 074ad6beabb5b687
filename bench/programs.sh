#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# programs.sh [NAME...]: audits programs of the distribution, those named or
# all, and prints the table of docs/findings.md. KEEP=DIR keeps there each
# report, and the traces and outputs of each trial; -j 2, or JOBS.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${B:-build}")
jobs=${JOBS:-2}
most=900			# seconds for one audit
PATH=$PATH:/usr/sbin
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
keep=${KEEP:-$tmp}
chmod 755 "$tmp"		# servers that give up root read here
mkdir -p "$keep" "$tmp/www"

# ---- what they serve, and are configured with ------------------------------

seq 20000 | head -c 108894 >"$tmp/www/big"
{
	echo '<html><body><h1>Numbers</h1>'
	seq -f '<p>line %.0f of a page</p>' 400
	echo '</body></html>'
} >"$tmp/www/page.html"
echo '<p>home</p>' >"$tmp/www/index.html"
head -c 30000 "$tmp/www/big" >"$tmp/input"

git init -q "$tmp/repo/r.git"
seq 3000 >"$tmp/repo/r.git/f"
git -C "$tmp/repo/r.git" add f
git -C "$tmp/repo/r.git" -c user.name=n -c user.email=n@localhost \
	commit -qm first

cat >"$tmp/nginx.conf" <<END
worker_processes 2;
pid $tmp/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	server { listen 127.0.0.1:41890; root $tmp/www; }
}
END
cat >"$tmp/lighttpd.conf" <<END
server.document-root = "$tmp/www"
server.bind = "127.0.0.1"
server.port = 41891
END
cat >"$tmp/rsyncd.conf" <<END
use chroot = no
[www]
path = $tmp/www
END
cat >"$tmp/tinyproxy.conf" <<END
Port 41892
Listen 127.0.0.1
Timeout 60
END
# a client of a proxy that has its own server behind it
cat >"$tmp/proxied.py" <<'END'
import http.client, os, socket, threading
origin = socket.create_server(("127.0.0.1", 0))

def serve():
    c = origin.accept()[0]
    asked = b""
    while b"\r\n\r\n" not in asked and (got := c.recv(65536)):
        asked += got
    c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 50000\r\n\r\n" +
              b"x" * 50000)
    c.close()

threading.Thread(target=serve, daemon=True).start()
to = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
to.request("GET", "http://127.0.0.1:%d/" % origin.getsockname()[1])
answer = to.getresponse()
print(answer.status, len(answer.read()))
raise SystemExit(answer.status != 200)
END

# ---- one audit -------------------------------------------------------------

names=()
# wanted NAME: it is to be audited.
wanted() {
	local name
	((${#names[@]})) || return 0
	for name in "${names[@]}"; do
		[ "$name" != "$1" ] || return 0
	done
	return 1
}

# version COMMAND...: the first version it prints.
version() {
	"$@" 2>&1 </dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -1 || true
}

# findings REPORT: "spin, 2 silent-loss, fd-setsize (warning)".
findings() {
	sed -nE 's/^(error|warning): ([a-z-]+): .*/\1 \2/p' "$1" | sort |
		uniq -c | awk '{
			printf "%s%s%s%s", sep, ($1 > 1 ? $1 " " : ""), $3,
				($2 == "warning" ? " (warning)" : "")
			sep = ", " }
			END { print NR ? "" : "none" }'
}

# program NAME VERSION-COMMAND AUDIT-ARGUMENTS...: a row of the table.
program() {
	local name=$1 version=$2 report begin took status=0 sites trials
	shift 2
	wanted "$name" || return 0
	report=$keep/$name.txt
	begin=$(date +%s)
	# shellcheck disable=SC2086 # a command and its arguments
	version=$(version $version)
	timeout "$most" "$build/sockwrench" audit -j "$jobs" \
		${KEEP:+--keep "$keep/$name"} "$@" >"$report" 2>&1 || status=$?
	took=$(($(date +%s) - begin))
	read -r sites trials < <(sed -nE \
		's/^([0-9]+) call sites?, ([0-9]+) trials?:.*/\1 \2/p' \
		"$report"; echo) || true
	((status <= 1)) || {
		printf '| %s %s | - | - | %s s | no audit: %s |\n' "$name" \
			"$version" "$took" "$(tail -n 1 "$report")"
		return
	}
	printf '| %s %s | %s | %s | %s s | %s |\n' "$name" "$version" \
		"$sites" "$trials" "$took" "$(findings "$report")"
}

names=("$@")
page="exec /usr/bin/python3 -m http.server 0 -b 127.0.0.1 -d $tmp/www"
# shellcheck disable=SC2016 # a client's own
get='curl -sS http://127.0.0.1:$PORT/big'

printf '| program | sites | trials | time | findings |\n|---|---|---|---|---|\n'

# shellcheck disable=SC2016 # what is quoted is for the shells of the audit
{
program curl 'curl -V' --server "$page" -- \
	sh -c 'exec curl -sS http://127.0.0.1:$PORT/big'
program wget 'wget -V' --server "$page" -- \
	sh -c 'exec wget -q -O - http://127.0.0.1:$PORT/big'
program redis-cli 'redis-cli -v' --server \
	'exec redis-server --port 41873 --bind 127.0.0.1 --save ""' -- \
	redis-cli -p 41873 set key value
program redis-server 'redis-server -v' \
	--client 'redis-cli -p $PORT set key value && redis-cli -p $PORT get key' \
	-- redis-server --port 41882 --bind 127.0.0.1 --save '' --appendonly no
program nginx 'nginx -v' --client "$get" -- \
	nginx -c "$tmp/nginx.conf" -g 'daemon off;'
program nc 'nc -h' --input "$tmp/input" \
	--server 'exec socat TCP-LISTEN:41884,reuseaddr,fork SYSTEM:cat' -- \
	nc -N 127.0.0.1 41884
program socat 'socat -V' --input "$tmp/input" \
	--server 'exec socat TCP-LISTEN:41885,reuseaddr,fork SYSTEM:cat' -- \
	socat - TCP:127.0.0.1:41885
program http.server '/usr/bin/python3 -V' --client "$get" -- \
	/usr/bin/python3 -m http.server 0 -b 127.0.0.1 -d "$tmp/www"
program git-clone 'git --version' --target 'git*' --server \
	"exec git daemon --listen=127.0.0.1 --port=41895 --export-all \
--reuseaddr --base-path=$tmp/repo" -- sh -c \
	'exec git clone -q git://127.0.0.1:41895/r.git $TMPDIR/copy'
program git-daemon 'git --version' --target 'git*' --client \
	'git clone -q git://127.0.0.1:41896/r.git $TMPDIR/copy.$$ &&
cat $TMPDIR/copy.$$/f' -- git daemon --listen=127.0.0.1 --port=41896 \
	--export-all --reuseaddr --base-path="$tmp/repo"
program memcached 'memcached -V' --client \
	'printf "set k 0 0 5\r\nhello\r\nget k\r\nquit\r\n" | nc -N 127.0.0.1 $PORT' \
	-- memcached -l 127.0.0.1 -p 41883 -u nobody -U 0
program lighttpd 'lighttpd -v' --client "$get" -- \
	lighttpd -D -f "$tmp/lighttpd.conf"

program aria2c 'aria2c -v' --target aria2c --server "$page" -- \
	sh -c 'aria2c -q -d $TMPDIR -o got http://127.0.0.1:$PORT/big &&
cat $TMPDIR/got'
program lynx 'lynx -version' --server "$page" -- \
	sh -c 'exec lynx -dump http://127.0.0.1:$PORT/page.html'
program busybox-wget 'busybox' --server "$page" -- \
	sh -c 'exec busybox wget -q -O - http://127.0.0.1:$PORT/big'
program lftp 'lftp --version' --server "$page" -- \
	sh -c 'exec lftp -c "open http://127.0.0.1:$PORT; cat big"'
program ncat 'ncat --version' --input "$tmp/input" \
	--server 'exec socat TCP-LISTEN:41897,reuseaddr,fork SYSTEM:cat' -- \
	ncat 127.0.0.1 41897
program rsync 'rsync --version' --target rsync --server \
	"exec rsync --daemon --no-detach --port=41898 --config=$tmp/rsyncd.conf" \
	-- sh -c 'rsync -a rsync://127.0.0.1:41898/www/ $TMPDIR/copy &&
cat $TMPDIR/copy/*'
program mosquitto_pub 'mosquitto_pub --version' \
	--server 'exec mosquitto -p 41899' -- \
	mosquitto_pub -h 127.0.0.1 -p 41899 -q 1 -t topic -m message
program httping 'httping -V' --server "$page" -- \
	sh -c 'exec httping -c 2 -i 0.1 -g http://127.0.0.1:$PORT/'
program iperf3 'iperf3 -v' --server 'exec iperf3 -s -p 41900' -- \
	iperf3 -c 127.0.0.1 -p 41900 -n 1M
program mosquitto 'mosquitto -h' --client \
	'mosquitto_pub -h 127.0.0.1 -p $PORT -q 1 -t topic -m message' -- \
	mosquitto -p 41901
program busybox-httpd 'busybox' --client "$get" -- \
	busybox httpd -f -p 127.0.0.1:41902 -h "$tmp/www"
program tinyproxy 'tinyproxy -v' \
	--client "exec /usr/bin/python3 $tmp/proxied.py" -- \
	tinyproxy -d -c "$tmp/tinyproxy.conf"
}
