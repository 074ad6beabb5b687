#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sockwrench check: what is wrong with rules, said exactly; and what is right.

# run sets stderr
# shellcheck disable=SC2154

load helpers
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# good RULES: accepted without a word.
good() {
	printf '%s\n' "$1" >good.rules
	run "$SW" check good.rules
	echo "$1: exit $status: $output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

# all_good: each line of standard input is; each in a file of its own.
all_good() {
	local rule
	local -i n=0
	rm -rf all
	mkdir all
	while IFS= read -r rule; do
		n+=1
		printf '%s\n' "$rule" >"all/$n"
	done
	run "$SW" check all/*
	while [ -n "$output" ] && IFS=: read -r rule _; do
		cat "$rule"
	done <<<"$output"
	echo "exit $status: $output"
	[ "$n" -gt 0 ]
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "each bad rule of bad-rules.txt has exactly its messages" {
	local line rule=
	local -i n=100
	mkdir bad
	: >expected
	while IFS= read -r line; do
		[[ $line == *' => '* && $line != '#'* ]] || continue
		if [ "$rule" != "${line%% => *}" ]; then
			rule=${line%% => *}
			n+=1
			printf '%b\n' "$rule" >"bad/$n"
		fi
		line=bad/$n:${line#* => }
		echo "${line/ FILE:/ bad/$n:}" >>expected
	done <"$ROOT/tests/bad-rules.txt"
	run --separate-stderr "$SW" check bad/*
	diff expected <(echo "$output")
	[ "$status" -eq 1 ]
	[ -z "$stderr" ]
	# each of them by itself is enough for exit 1
	[ "$(cut -d: -f1 expected | uniq)" = "$(ls -d bad/*)" ]
	run "$SW" check bad/101
	[ "$status" -eq 1 ]
}

@test "every message has the form expected ... near '...'" {
	grep -c '^[^#].* => ' "$ROOT/tests/bad-rules.txt" >all
	grep -cE "^[^#].* => [0-9]+:[0-9]+: expected .* near '[^']+'" \
		"$ROOT/tests/bad-rules.txt" | diff all -
	[ "$(cat all)" -ge 120 ]
}

@test "every message of the parser and the checker is in bad-rules.txt" {
	"$PYTHON" - "$ROOT"/rules/{parse,value,units,address,inject,check,kernel,shadow,faults}.c >pieces <<-'P'
	import re, sys
	string = r'"(?:[^"\\]|\\.)*"'
	for path in sys.argv[1:]:
	    text = re.sub(r'/\*.*?\*/', '', open(path).read(), flags=re.S)
	    for run in re.finditer(rf'{string}(?:\s*{string})*', text):
	        piece = ''.join(s[1:-1] for s in re.findall(string, run.group()))
	        if ' ' in piece.strip():
	            print(piece)
	P
	[ "$(wc -l <pieces)" -gt 80 ]
	while IFS= read -r piece; do
		grep -qF -- "$piece" "$ROOT/tests/bad-rules.txt" \
			"$ROOT/tests/check.bats" || {
			echo "no bad rule has: $piece"
			return 1
		}
	done <pieces
}

@test "good: each field, each action, each spelling of a value" {
	all_good <<-'R'
	connect peer=127.0.0.1:6379 when=1..3   error=ECONNREFUSED    # three times
	connect                                 inprogress=250ms
	connect peer=*:443                      inprogress=2s then=ETIMEDOUT
	send    peer=*:6379 at=4096             reset
	send                                    short=1..16
	send    when=2                          error=EPIPE
	recv    prob=5%                         error=EINTR
	recv    conn=2 when=3+                  eof
	recv    latency=20ms..80ms
	accept  when=5..8                       error=EMFILE
	accept  when=3                          reset
	socket,accept                           number=1024
	*       exe=nginx after=3s              stall=forever
	resolve name=*.example.org              error=EAI_AGAIN
	recv peer=10.0.0.0/8:* error=EINTR
	recv peer=0.0.0.0/0:80 error=EINTR
	recv peer=[::1]:80 error=EINTR
	recv peer=[2001:db8::]/32:* error=EINTR
	recv peer=*:* error=EINTR
	recv peer=unix:/run/*.sock error=EINTR
	recv peer=unix:@abstract error=EINTR
	recv peer=unix:* error=EINTR
	recv local=127.0.0.1:80 error=EINTR
	bind local=*:80 error=EADDRINUSE
	recv local=[::]/0:* peer=10.0.0.1:* error=EINTR
	recv local=10.0.0.1:* peer=[::ffff:0:0]/90:* error=EINTR
	recv proto=tcp error=EINTR
	recv proto=udp error=ECONNREFUSED
	recv proto=unix error=ECONNRESET
	recv role=client error=EINTR
	recv role=server error=EINTR
	recv role=pair proto=unix error=EINTR
	accept role=listener error=EMFILE
	* role=listener error=EMFILE
	recv fd=0 error=EINTR
	recv via=read,readv,__recv_chk error=EINTR
	recv,send via=read,write error=EINTR
	* via=read,write error=EINTR
	poll via=epoll_ctl fd=5 error=ENOSPC
	poll via=epoll_create1 error=EMFILE
	recv exe=/usr/bin/* error=EINTR
	resolve name=? delay=1s
	recv blocking error=EINTR
	recv blocking error=EAGAIN
	recv nonblocking error=EAGAIN
	recv nonblocking error=EWOULDBLOCK
	send size=1 error=EAGAIN
	send size=1..64KiB short=50%
	send size=2.. short=1
	send size=0..1kB error=EAGAIN
	send at=1MB reset
	send at=64KiB error=EPIPE
	send at=0 error=EAGAIN
	recv after=1.5s delay=1us
	recv after=0s delay=1ns
	recv after=2m delay=0.5h
	recv when=3+2 error=EINTR
	recv when=3..9+2 error=EINTR
	recv when=4294967295 error=EINTR
	recv when=2 per=conn error=EINTR
	recv limit=2 per=thread error=EINTR
	recv limit=2 per=tree error=EINTR
	recv from=curl+0x1a2B error=EINTR
	recv from=libssl.so.3+0xabc<curl+0x1<a+0x2<b+0x3 error=EINTR
	* when=2 per=conn error=ENOMEM
	recv when=2 per=process error=EINTR
	recv prob=0.0001% error=EINTR
	recv prob=100% error=EINTR
	recv prob=12.5% limit=10 error=EINTR
	send short=1
	send short=1B..2KiB
	send short=99%
	send peer=unix:* short=5 size=1..2241
	recv peer=unix:* short=5 size=1..100
	* peer=unix:* short=5 size=1..100
	send proto=udp short=5 force
	connect reset
	shutdown reset
	connect inprogress=0ms
	connect inprogress=1s then=0
	connect inprogress=1s then=EINTR force
	connect proto=udp inprogress=1s force
	send stall=2s
	recv rate=64KiB/s
	recv pass
	* pass
	recv delay=1ms..2ms
	recv signal=SIGALRM
	recv signal=USR1 error=EINTR
	recv delay=1ms signal=SIGALRM error=EINTR
	send error=EPIPE once
	recv error=EADDRINUSE force
	recv error=EPIPE once force
	accept proto=udp error=EMFILE force
	accept peer=10.0.0.0/8:* reset
	accept peer=10.0.0.0/8:* error=ECONNABORTED
	accept peer=10.0.0.0/8:* number=1024
	accept peer=10.0.0.0/8:* latency=1s
	* peer=10.0.0.0/8:* error=ENOMEM
	* error=EINTR
	* proto=udp error=EINTR
	* name=*.org delay=1s
	resolve via=getaddrinfo error=EAI_NODATA
	recv,send,connect error=EINTR
	inject=recvfrom:error=EINTR
	inject=sendto,recvfrom,read,write:error=EINTR:when=2..5+2
	inject=%network:error=EINTR
	inject=connect:error=ECONNREFUSED:when=1
	inject=recv:delay_enter=1000:signal=SIGUSR1
	inject=pselect6,poll:delay_enter=10ms # strace's
	R
	local rule
	while IFS= read -r rule; do
		grep -qE "(^|[[:space:]])$rule(=|[[:space:]]|\$)" \
			"$BATS_TEST_FILENAME" || {
			echo "no good rule has $rule"
			return 1
		}
	done < <(sed -n 's/^FIELD([A-Z]*, "\([a-z]*\)".*/\1/p' \
		"$ROOT/rules/fields.def")
}

@test "good: every row that list errors prints is a rule" {
	local family errno protos condition rest proto
	local -i n=0
	: >rules
	"$SW" list errors | sed -E 's/ {2,}/\t/g' >errors
	while IFS=$'\t' read -r family errno protos condition rest; do
		n+=1
		[[ $rest == *' ('*')' ]]
		[ "$condition" != always ] || condition=
		echo "$family error=$errno $condition" >>rules
		for proto in $protos; do
			[ "$proto" != any ] || continue
			echo "$family error=$errno proto=${proto%%-*} $condition"
		done >>rules
	done <errors
	all_good <rules
	[ "$n" -eq "$(grep -c '^FAULT(' "$ROOT/rules/errors.def")" ]
}

@test "good: rules side by side that could be taken for one another" {
	good $'recv error=EINTR\nrecv error=EAGAIN'
	good $'send error=EPIPE\nsend proto=udp error=ENOBUFS'
	good $'send error=EPIPE\nsend error=ENOBUFS'
	good $'send error=EPIPE once\nsend proto=udp error=EPERM'
	good $'accept error=ECONNABORTED\naccept error=EMFILE'
	good $'accept error=ECONNABORTED\naccept number=5'
	good $'accept pass\naccept number=1024'
	good $'send pass\nsend at=5 reset'
	good $'send at=5 error=ENOBUFS\nsend at=5 reset'
	good $'send short=1..4\nsend error=EAGAIN'
	good $'socket number=1024\nsocket error=EMFILE'
	good $'poll error=EMFILE\npoll error=EINTR'
	good $'poll error=EINTR\npoll delay=1ms'
	good $'poll via=poll error=EINTR\npoll error=EINTR when=3+'
	good $'recv when=2 error=EINTR\nrecv when=2 error=EAGAIN'
	good $'recv when=2+2 error=EINTR\nrecv when=3+4 error=EINTR'
	good $'recv when=2+2 error=EINTR\nrecv when=4+3 error=EINTR'
	good $'recv when=1..10 error=EINTR\nrecv when=4..11 error=EINTR'
	good $'recv when=1..10 error=EINTR\nrecv conn=4 when=4..6 error=EINTR'
	good $'recv when=1..9 per=conn error=EINTR\nrecv when=4..6 error=EINTR'
	good $'recv limit=2 error=EINTR\nrecv error=EINTR'
	good $'recv prob=5% error=EINTR\nrecv error=EINTR'
	good $'recv after=3s error=EINTR\nrecv after=2s error=EINTR when=5'
	good $'recv peer=10.2.0.0/16:80 reset\nrecv peer=10.0.0.0/8:* reset'
	good $'recv peer=*:80 reset\nrecv peer=10.0.0.0/8:* reset when=2'
	good $'recv peer=*:* reset\nrecv peer=unix:* reset when=2'
	good $'recv peer=unix:/tmp/? reset\nrecv peer=unix:/tmp/* reset'
	good $'recv exe=* reset\nrecv exe=/usr/bin/nginx reset when=2'
	good $'resolve name=* error=EAI_AGAIN\nresolve error=EAI_FAIL'
	good $'send size=0.. error=ENOBUFS\nsend error=ENOBUFS when=2'
	good $'connect error=ECONNREFUSED\nconnect proto=udp delay=1s'
	good $'recv conn=1 reset\nrecv fd=1 reset'
	good $'recv fd=1 reset\nrecv fd=2 reset'
	good $'send proto=tcp short=1..4\nsend proto=tcp error=ENOMEM'
	good $'recv peer=10.0.0.0/16:* reset\nrecv peer=10.0.0.0/8:* reset'
	good $'recv peer=0.0.0.0/0:* reset\nrecv peer=[::1]:80 reset'
	good $'send size=1..10 error=ENOBUFS\nsend size=2..20 error=ENOBUFS'
	good $'recv role=client reset\nrecv role=server reset'
	good $'recv pass\n* error=EINTR'
}

@test "the lines of a file: CRLF, BOM, tabs, comments, no newline at the end" {
	printf '\xef\xbb\xbfrecv\terror=EINTR\r\n\r\n# note\r\n\t \r\nsend short=1 # x' \
		>good.rules
	run "$SW" check good.rules
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	printf '\xef\xbb\xbfrecv error=EINTRR\r\n\r\n\tsend short=0\r\nrecv' >FILE
	run "$SW" check FILE
	[ "$status" -eq 1 ]
	diff - <(echo "$output") <<-'R'
	FILE:1:12: expected the name of an error near 'EINTRR', the nearest is 'EINTR'
	FILE:3:13: expected at least 1 byte, since 0 would mean the end, near '0'
	FILE:4:5: expected an action, such as error=, reset, eof, short= or delay=, near 'recv'
	R
}

@test "errors come in the order of their lines, also those found at the end" {
	printf '%s\n' 'recv error=EPIPE' 'recv pass' 'recv reset' \
		'recv prob=5 limit=0' >FILE
	run "$SW" check FILE
	[ "$status" -eq 1 ]
	[ "$(cut -d: -f2,3 <<<"$output")" = $'1:6\n3:1\n4:11\n4:19' ]
}

@test "a file of 0 bytes, of blanks, of comments" {
	: >empty
	printf '  \t\r\n\n' >blank
	printf '# nothing' >comment
	run "$SW" check empty blank comment
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "lines of a megabyte: a comment, a list, a word" {
	local million
	million=$(head -c 1000000 /dev/zero | tr '\0' x)
	echo "recv error=EINTR # $million" >FILE
	run "$SW" check FILE
	[ "$status" -eq 0 ]
	printf 'recv error=EINTR via=read%s\n' \
		"$(printf ',read%.0s' {1..200000})" >FILE
	run "$SW" check FILE
	[ "$status" -eq 0 ]
	printf '%1000000s recv error=%s\n' '' "$million" >FILE
	run "$SW" check FILE
	[ "$status" -eq 1 ]
	[ "$output" = "FILE:1:1000013: expected the name of an error near '$(
		head -c 60 <<<"$million")...' (sockwrench list errors)" ]
	# cut between characters, never within one
	echo "recv exe=x error=x$(printf 'é%.0s' {1..100})" >FILE
	run "$SW" check FILE
	iconv -f UTF-8 <<<"$output" >/dev/null
	[[ $output == *"é...'"* ]]
}

@test "a byte of 0: the file is not text" {
	printf 'recv error=EINTR\nre\0cv error=EINTR\nfoo\n' >FILE
	run "$SW" check FILE
	[ "$status" -eq 1 ]
	[ "$output" = "FILE:2:3: expected text, no byte of 0, near '?cv error=EINTR'" ]
}

@test "terminal controls in a file are not shown" {
	printf 'recv \033[31m\177\n' >FILE
	run "$SW" check FILE
	[ "$output" = "FILE:1:6: expected a matcher or an action near '?[31m?' (sockwrench(1) lists them)" ]
}

@test "1,000 rules are accepted, one more is not, and told once" {
	local i
	for ((i = 1; i <= 1000; i++)); do
		echo "recv conn=$i when=1 error=EINTR"
	done >FILE
	run "$SW" check FILE
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	printf '\n# more\nsend short=1\nsend short=2\n' >>FILE
	run "$SW" check FILE
	[ "$status" -eq 1 ]
	[ "$output" = "FILE:1003:1: expected at most 1000 rules near 'send'" ]
}

@test "at most 8 rules count per connection, and 8 per thread" {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		echo "recv conn=$i per=conn when=1 error=EINTR"
		echo "recv conn=$i per=thread when=1 error=EINTR"
	done >FILE
	run "$SW" check FILE
	[ "$status" -eq 0 ]
	echo 'send per=conn when=1 error=EPIPE' >>FILE
	run "$SW" check FILE
	[ "$status" -eq 1 ]
	[ "$output" = "FILE:17:6: expected at most 8 rules that count per connection, and 8 per thread, near 'per=conn'" ]
}

@test "several files: all errors of all of them, FILE as it was typed" {
	mkdir dir
	echo 'recv' >a.rules
	echo 'recv error=EINTR' >b.rules
	echo 'send' >dir/c.rules
	run "$SW" check a.rules b.rules ./dir/../dir/c.rules "$PWD/a.rules"
	[ "$status" -eq 1 ]
	[ "$(cut -d: -f1-3 <<<"$output")" = "a.rules:1:5
./dir/../dir/c.rules:1:5
$PWD/a.rules:1:5" ]
	# a rule of one file says nothing of another's
	echo 'recv pass' >a.rules
	run "$SW" check a.rules b.rules
	[ "$status" -eq 0 ]
}

@test "standard input, a pipe, a preset" {
	run "$SW" check - <<<'recv'
	[ "$status" -eq 1 ]
	[[ $output == "-:1:5: expected an action"* ]]
	run bash -c '"$1" check <(echo recv)' - "$SW"
	[ "$status" -eq 1 ]
	[[ $output == /dev/fd/*":1:5: expected an action"* ]]
	run "$SW" check short-io
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	# a file of that name comes first
	echo recv >short-io
	run "$SW" check short-io
	[ "$status" -eq 1 ]
	[[ $output == short-io:1:5:* ]]
}

@test "125: files that are not there, directories, files that may not be read" {
	mkdir dir
	echo recv >bad
	run --separate-stderr "$SW" check missing/file
	[ "$status" -eq 125 ]
	[ "$stderr" = "sockwrench: missing/file: No such file or directory" ]
	run --separate-stderr "$SW" check dir bad
	[ "$status" -eq 125 ]
	[ "$stderr" = "sockwrench: dir: expected a file of rules, found a directory" ]
	[[ $output == bad:1:5:* ]]
	run --separate-stderr "$SW" check ./dir
	[ "$stderr" = "sockwrench: ./dir: expected a file of rules, found a directory" ]
	run --separate-stderr "$SW" check shrt-io
	[ "$status" -eq 125 ]
	[ "$stderr" = "sockwrench: shrt-io: expected a file or a preset, the nearest is 'short-io'" ]
	run --separate-stderr "$SW" check nothing-like-it
	[ "$stderr" = "sockwrench: nothing-like-it: expected a file or a preset (sockwrench list presets)" ]
	run --separate-stderr "$SW" check ''
	[ "$status" -eq 125 ]
	truncate -s 17M large
	run --separate-stderr "$SW" check large
	[ "$status" -eq 125 ]
	[ "$stderr" = "sockwrench: large: File too large" ]
	run --separate-stderr "$SW" check
	[ "$status" -eq 125 ]
	[[ $stderr == "sockwrench: check: expected a file"* ]]
}

@test "125: a file that may not be read" {
	echo recv >secret
	chmod 600 secret
	chmod 755 . "$BATS_RUN_TMPDIR"
	run setpriv --reuid=65534 --clear-groups "$SW" check secret
	[ "$status" -eq 125 ]
	[ "$output" = "sockwrench: secret: Permission denied" ]
}

@test "125: what was found cannot be written" {
	echo recv >bad
	run bash -c '"$1" check bad >/dev/full' - "$SW"
	[ "$status" -eq 125 ]
	[[ $output == "sockwrench: check: standard output: No space left"* ]]
}

@test "presets: each is good, says what it shows, and has no fixed period" {
	local preset
	local -i n=0
	for preset in "$ROOT"/rules/presets/*.rules; do
		n+=1
		run "$SW" check "$preset"
		echo "$output"
		[ "$status" -eq 0 ]
		head -1 "$preset" | grep -qE '^# [A-Za-z].{20,76}$'
		[ "$(grep -c '^#' "$preset")" -ge 5 ]
		"$SW" list presets | grep -qxF "$(printf '%-18s  %s' \
			"$(basename "$preset" .rules)" \
			"$(sed -n '1s/^# //p' "$preset")")"
		# transient ones: chance, a budget or a range
		run grep -vE '^#|^$|prob=|limit=|\.\.|reset|eof|EPIPE|number=|inprogress=|forever|rate=' \
			"$preset"
		[ -z "$output" ]
	done
	[ "$("$SW" list presets | wc -l)" -eq "$n" ]
	[ "$n" -ge 17 ]
}

@test "list errors: columns that line up, a row of the table each" {
	"$SW" list errors >errors
	grep -qE '^recv +ECONNRESET  +tcp unix unix-seqpacket  +always  +sever  +terminal  +[a-z].*\(' \
		errors
	[ "$(grep -cE '^[a-z ]{8}  E[A-Z_0-9 ]{14}  [-a-z ]{30}  [a-z ]{11}  [a-z ]{6}  (transient|terminal )  [^ ]' \
		errors)" -eq "$(wc -l <errors)" ]
}

@test "docs/rules.md: its rules are good, its errors are as it says" {
	sed -n '/^```rules$/,/^```$/{/^```/d;p}' "$ROOT/docs/rules.md" >rules
	[ "$(wc -l <rules)" -ge 10 ]
	all_good <rules
	sed -n '/^\$ cat bad.rules$/,/^\$/{/^\$/d;p}' "$ROOT/docs/rules.md" \
		>bad.rules
	[ "$(wc -l <bad.rules)" -eq 4 ]
	run "$SW" check bad.rules
	[ "$status" -eq 1 ]
	diff <(echo "$output") <(sed -n \
		'/^\$ sockwrench check bad.rules$/,/^```$/{/^[$`]/d;p}' \
		"$ROOT/docs/rules.md")
	run "$SW" check <(sed -n '/^  connect peer=/,/^\.EE/{/^\./d;p}' \
		"$ROOT/docs/sockwrench.1")
	[ "$status" -eq 0 ]
}

@test "what another rule lets through is not behind one that fails it" {
	printf '%s\n' '* latency=2s' '* error=ENOMEM force' '* number=1024' \
		>"$BATS_TEST_TMPDIR/rules"
	run "$SW" check "$BATS_TEST_TMPDIR/rules"
	[ "$status" -eq 0 ]
	sed -i 1d "$BATS_TEST_TMPDIR/rules"
	run "$SW" check "$BATS_TEST_TMPDIR/rules"
	[[ $output == *':2:1: expected a rule that can fire near '* ]]
}

@test "what a rule has to spare is left to the next one" {
	local first second
	while IFS=/ read -r first second; do
		run "$SW" check <(printf '%s\n%s\n' "$first" "$second")
		[ "$status" -eq 0 ] || {
			echo "$first / $second: $output"
			return 1
		}
	done <<-'END'
	resolve error=EAI_AGAIN/resolve error=EAI_MEMORY
	recv error=EINTR/recv blocking error=ENOMEM
	recv proto=tcp reset/recv proto=tcp delay=1s
	listen error=EADDRINUSE/listen delay=1s
	END
}
