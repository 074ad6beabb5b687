#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fidelity.sh [-o DOC] [REGEX]: what a program sees of every fault, from the
# kernel and from us, must be the same line (tests/progs/fidelity.c). REGEX
# chooses situations, as `fidelity list` names them. Prints a line for each
# situation and, for a difference, both views. -o writes docs/fidelity.md.
# FIDELITY, SOCKWRENCH: the two programs, if not those of build/.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export LC_ALL=C.UTF-8
export FIDELITY=${FIDELITY:-build/progs/fidelity}
export SOCKWRENCH=${SOCKWRENCH:-build/sockwrench}
doc=
if [ "${1:-}" = -o ]; then
	doc=$2
	shift 2
fi
out=$(mktemp -d)
export out
trap 'rm -rf "$out"' EXIT

# view MODE NAME WORDS...: one run's line in $out/NAME; its status. The
# alarm of the program itself is at 20 s. Where the machine was too slow to
# look before a gate opened (75), again with a longer time.
view() {
	local mode=$1 name=$2 ms status=75

	shift 2
	for ms in 300 1200 4800; do
		[ $status -eq 75 ] || break
		status=0
		if [ "$mode" = injected ]; then
			timeout 60 "$SOCKWRENCH" run -o /dev/null \
				-e "${rule/300ms/${ms}ms}" -- \
				"$FIDELITY" injected "$@" $ms
		else
			timeout 60 "$FIDELITY" "$mode" "$@"
		fi >"$out/$name" 2>"$out/$name.err" </dev/null || status=$?
	done
	return $status
}

# pair LINE: both runs of a line of the list; says how they compare, in
# tab-separated columns: situation verdict event rule via wait order views.
pair() {
	local n situation via wait order rule kind how
	local status ours='' theirs why='' verdict

	IFS=$'\t' read -r n situation via wait order rule kind how <<<"$1"
	local words=("$situation" "$via" "$wait" "$order")
	if [ "$kind" != source ]; then
		view real "$n.real" "${words[@]}"
		status=$?
		if [ $status -eq 77 ]; then	# NOT_HERE
			how=$(<"$out/$n.real.err")
			kind=source how=${how#not here: }
		elif [ $status -ne 0 ]; then
			why=" (status $status: $(<"$out/$n.real.err"))"
		fi
	fi
	if [ "$kind" = source ]; then
		view source "$n.real" "${words[@]}"
		status=$?
		case $status in
		0) ;;
		77) kind=nowhere ;;	# nor has it a source
		*) why=" (status $status)" ;;
		esac
	fi
	theirs=$(<"$out/$n.real")$why
	verdict=$kind
	if [ "$kind" != seen ] && [ "$kind" != nowhere ]; then
		view injected "$n.ours" "${words[@]}" ||
			why=" (status $?: $(head -c 300 "$out/$n.ours.err"))"
		ours=$(<"$out/$n.ours")
		[ "$ours" = "$theirs" ] || verdict=differs-$kind
		[ "$ours" = "$theirs" ] || ours+=$why
	fi
	local columns=("$n" "$situation" "$verdict" "$how" "$rule" "$via"
		"$wait" "$order" "$theirs" "${ours//$'\n'/ }")
	local IFS=$'\t'
	printf '%s\n' "${columns[*]}"	# in one piece: others write too
	rm -f "$out/$n".*
}
export -f view pair

# results: all of them, in the order of the list. Most of the time is spent
# waiting for time-outs, so there are more at once than processors.
results() {
	"$FIDELITY" list | grep -E -- "$1" | cat -n | sed 's/^ *//' |
		tr '\n' '\0' |
		xargs -0 -P $((4 * $(nproc))) -I{} bash -c 'pair "$1"' _ {} |
		sort -n | cut -f2-
}

# summary: a line for each situation; the differences; the sums.
summary() {
	awk -F'\t' '
	!($1 in n) { order[++k] = $1; n[$1] = 0 }
	$2 == "seen" { seen[$1]++; next }
	$2 == "nowhere" { why[$1] = $3; next }
	$2 ~ /source/ { source[$1]++; sources++; why[$1] = $3 }
	$2 !~ /source/ { real[$1]++; reals++; how[$1] = $3 }
	$2 ~ /^differs/ { differ[$1]++; differs++; text[differs] = details() }
	function details() {
		return sprintf("\n%s %s %s %s\n  %-9s %s\n  %-9s %s\n  %-9s %s",
			$1, $5, $6, $7, "rule", $4,
			$2 ~ /source/ ? "source" : "real", $8, "injected", $9)
	}
	function event(s) {
		if (s in seen) return "seen, not compared"
		if (!(s in how)) return "not to be had here: " why[s]
		return how[s] (s in why ? "; else not to be had here" : "")
	}
	END {
		printf "%-56s %8s %9s %6s   %s\n", "situation", "compared",
			"by source", "differ", "the real event"
		for (i = 1; i <= k; i++) {
			s = order[i]
			printf "%-56s %8d %9d %6d   %s\n", s, real[s],
				source[s], differ[s], event(s)
		}
		for (i = 1; i <= differs; i++)
			print text[i]
		printf "%d compared, %d by source, %d differ\n", reals,
			sources, differs
		exit differs > 0 || reals + sources == 0
	}' "$1"
}

# page: the doc, from the same results.
page() {
	cat <<-'END'
		# Fidelity: what a program sees of a fault

		Made by `tests/fidelity.sh -o docs/fidelity.md`, checked by
		`tests/fidelity.bats`. Each row is a situation: the errno of
		a row of rules/errors.def, or an action, and a protocol. A
		small program (tests/progs/fidelity.c) has the real event
		happen to it and prints, in one line, what each of its calls
		and its peer then see; the same program under the rule has to
		print the same line. The rule's `fd=100` is the socket.
		*Runs* is through how many functions, in how many manners
		(blocking, non-blocking, another thread waiting, SIGPIPE
		handled, ignored, blocked) and in how many orders. Where a
		test machine cannot have the event, the line is what the
		source says: the call fails and the rest is as ever.

		What a rule holds up for a time is compared with what really
		comes later: the program looks while nothing has come (before
		Q, or in a call that waits) and when it has, through poll,
		select, epoll_wait, edge-triggered epoll, a call that waits
		and one with a time-out of 30 ms. The line does not say when;
		it would say "early" where anything came before its time.

		In the lines, capitals are the program's calls, small letters
		its peer's: R recv, W write, P poll, E SO_ERROR, S shutdown,
		C connect, A accept, N getpeername, M getsockname, F FIONREAD,
		K recv with MSG_PEEK, G a wait on an edge-triggered epoll set,
		Q a poll that waits, O socket, B bind, I listen, X close,
		T setsockopt, D a name looked up, Z the state in TCP_INFO,
		V 40,000 bytes; p, r, w: the peer's poll, recv, send.

		| situation | the real event | rule | runs | seen |
		|---|---|---|---:|---|
	END
	awk -F'\t' '
	function cell(t) { gsub(/\|/, "\\|", t); return t }
	!($1 in n) {
		order[++k] = $1
		event[$1] = $2 ~ /source|nowhere/ ? "none: " $3 : $3
		rule[$1] = $2 == "seen" ? "" : "`" $4 "`"
		seen[$1] = $8
	}
	{ n[$1]++ }
	END {
		for (i = 1; i <= k; i++) {
			s = order[i]
			printf "| %s | %s | %s | %d | %s |\n", s,
				cell(event[s]), cell(rule[s]), n[s],
				cell(seen[s])
		}
	}' "$1"
}

results "${1:-.}" >"$out/results"
[ -z "$doc" ] || page "$out/results" >"$doc"
summary "$out/results"
