# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The vocabulary of the test scripts: kselftest TAP, one property a test, its name a sentence.
#
#   . "$(dirname "$0")/../lib/ktap.sh"
#   plan 2
#   it "refuses a second open" second_open       # a function: runs in a subshell under set -eu; it fails where a command fails
#   it "counts 3 hubs" count hubs 3              # with arguments
#
# In a test:
#   wait_for SECONDS COMMAND...      until COMMAND succeeds; fails when the time is over
#   expect_fail COMMAND...           COMMAND must end with a status other than 0, and not by a signal
#   expect_error REGEX COMMAND...    the same, and what it prints must match
#   same EXPECTED GOT [WHAT]         two strings must be equal
#   skip REASON                      ends the test as skipped
#   defer COMMAND...                 runs at the end of the test, last one first; outside of a test: at the end of the script
#   say WORDS...                     a remark, shown where the test fails
#
# $TMP is a directory of the script's own, $LONG is 1 in long runs, $STATE outlives a boot, $BOOT is 1 in the first of several.
# $ON is the kernel, $SLOWER how many times slower than the stock one it may be: what only bounds a hang is to be multiplied by it.
# Do not use `set -e` in the script itself, nor call `it` in a condition: bash switches `set -e` off there.

set -uE
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TMP=$(mktemp -d "${TMPDIR:-/tmp}/usbpass-test.XXXXXX")
LONG=${LONG:-0}
BOOT=${BOOT:-1}
ON=${ON:-stock}
SLOWER=${SLOWER:-1}
export TOP TMP LONG BOOT ON SLOWER
# A read of what nobody writes to waits, without a process for it. (There is no /dev/fd here for <(:).)
mkfifo "$TMP/.never"
exec {ktap_never}<>"$TMP/.never"
printf -v ktap_poll '%d.%02d' 0 $((SLOWER > 4 ? 20 : 5 * SLOWER))
ktap_planned=0 ktap_count=0 ktap_failed=0 ktap_deferred=()

plan()
{
	ktap_planned=$1
	echo "TAP version 13"
	echo "1..$1"
}

# The whole script has nothing to test here.
skip_all()
{
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit 4
}

say()
{
	echo "$*"
}

skip()
{
	echo "$*" >"$TMP/.skip"
	exit 4
}

defer()
{
	ktap_deferred+=("$(printf '%q ' "$@")")
}

ktap_undo()
{
	local i

	for ((i = ${#ktap_deferred[@]} - 1; i >= 0; i--)); do
		eval "${ktap_deferred[i]}" || say "cleanup failed: ${ktap_deferred[i]}"
	done
	ktap_deferred=()
}

it()
{
	local sentence=$1 status

	set +e
	shift
	ktap_count=$((ktap_count + 1))
	rm -f "$TMP/.skip"
	(
		ktap_deferred=()
		trap 'status=$?; trap - ERR; set +e; ktap_undo; exit $status' EXIT
		trap 'say "failed with $?: $BASH_COMMAND (${BASH_SOURCE[0]##*/}:$LINENO)"' ERR
		set -e
		"$@"
	) >"$TMP/.log" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ]; then
		echo "ok $ktap_count $sentence"
	elif [ $status -eq 4 ] && [ -e "$TMP/.skip" ]; then
		echo "ok $ktap_count $sentence # SKIP $(<"$TMP/.skip")"
	else
		ktap_failed=$((ktap_failed + 1))
		echo "not ok $ktap_count $sentence"
		sed 's/^/# /' "$TMP/.log"
		[ -s "$TMP/.log" ] || echo "# status $status, without a word"
	fi
}

ktap_finish()
{
	local status=$?

	trap - EXIT
	[ "${BASHPID}" = $$ ] || exit $status
	ktap_undo >"$TMP/.log" 2>&1 </dev/null
	sed 's/^/# /' "$TMP/.log"
	rm -rf "$TMP"
	[ $status -eq 0 ] || exit $status
	[ $ktap_count -eq "$ktap_planned" ] || { echo "# planned $ktap_planned tests, ran $ktap_count"; exit 1; }
	[ $ktap_failed -eq 0 ] || exit 1
	exit 0
}
trap ktap_finish EXIT

wait_for()
{
	local seconds=$1 end

	shift
	printf -v end '%.0f' "${seconds}e6"
	end=$((${EPOCHREALTIME/[^0-9]/} + end * SLOWER))
	# No process but the command's: on a kernel full of checkers each costs more than what is waited for.
	until "$@" >"$TMP/.wait.$BASHPID" 2>&1; do
		if [ "${EPOCHREALTIME/[^0-9]/}" -ge $end ]; then
			say "waited $seconds s in vain for: $*; at last it said: $(tail -n 5 "$TMP/.wait.$BASHPID")"
			return 1
		fi
		read -rt "$ktap_poll" -u "$ktap_never" || true
	done
}

# For wait_for: no CMD...
no()
{
	! "$@"
}

expect_fail()
{
	local status=0

	"$@" || status=$?
	if [ $status -eq 0 ]; then
		say "succeeded, but should have been refused: $*"
		return 1
	fi
	if [ $status -ge 126 ]; then
		say "ended with status $status (not found, or by a signal): $*"
		return 1
	fi
}

expect_error()
{
	local pattern=$1 output status=0

	shift
	output=$("$@" 2>&1) || status=$?
	if [ $status -eq 0 ] || [ $status -ge 126 ]; then
		say "ended with status $status, should have been refused: $*: $output"
		return 1
	fi
	if ! grep -Eq -- "$pattern" <<<"$output"; then
		say "the error does not match '$pattern': $output"
		return 1
	fi
}

same()
{
	if [ "$1" != "$2" ]; then
		say "${3:-the value} should be '$1', is '$2'"
		return 1
	fi
}
