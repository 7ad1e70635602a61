#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# That the bed notices what goes wrong: each of these must be a failure, not a silent pass.
#
# timeout: 300

. "$(dirname "$0")/../lib/ktap.sh"
selftests=$TOP/selftests
# The scripts under test, some of which are killed, leave their directories below ours.
export TMPDIR=$TMP

# script NAME LINE...: a test script of its own
script()
{
	local name=$1

	shift
	printf '%s\n' '#!/bin/bash' ". '$selftests/lib/ktap.sh'" "$@" >"$TMP/$name"
	chmod +x "$TMP/$name"
}

failing_test()
{
	script inner 'plan 1' "leaves() { defer touch '$TMP/trace'; false; }" 'it "fails" leaves'
	expect_fail "$TMP/inner" >"$TMP/output"
	grep -q "^not ok 1 fails" "$TMP/output"
	grep -q "failed with 1: false" "$TMP/output"
	test -e "$TMP/trace"
}

missing_test()
{
	script inner 'plan 2' 'it "runs" true'
	expect_fail "$TMP/inner" >"$TMP/output"
	grep -q "planned 2 tests, ran 1" "$TMP/output"
}

time_out()
{
	script inner 'plan 1' 'it "waits" wait_for 0.3 false'
	expect_fail "$TMP/inner" >"$TMP/output"
	grep -q "waited 0.3 s in vain for: false" "$TMP/output"
}

log_of()
{
	printf '%s\r\n' "[    0.000000] Linux version 6.1.0-56-amd64" "$@" "[    9.000000] reboot: Restarting system" >"$TMP/console.log"
}

clean_log()
{
	log_of "[    3.1] usb 1-1: new high-speed USB device number 2 using xhci_hcd" "[    3.2] usbpass: loading out-of-tree module taints kernel."
	"$selftests/vm/scan-log.sh" "$TMP/console.log"
}

troubled_logs()
{
	local line

	while read -r line; do
		log_of "[    5.123456] $line"
		expect_fail "$selftests/vm/scan-log.sh" "$TMP/console.log"
		"$selftests/vm/scan-log.sh" "$TMP/console.log" "${line:0:12}"
	done <<-'END'
		WARNING: CPU: 1 PID: 211 at drivers/usb/core/urb.c:503 usb_submit_urb+0x3a1/0x5c0
		BUG: kernel NULL pointer dereference, address: 0000000000000010
		BUG: KASAN: use-after-free in lease_put+0x12/0x40 [usbpass]
		general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] PREEMPT SMP
		Oops: error, at 0000 [#1] PREEMPT SMP NOPTI
		Call Trace:
		INFO: task usbpassd:312 blocked for more than 60 seconds.
		kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
		WARNING: possible circular locking dependency detected
		watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kworker/0:1:17]
		rcu: INFO: rcu_preempt self-detected stall on CPU
		usercopy: Kernel memory exposure attempt detected from SLUB object
		refcount_t: underflow; use-after-free.
		BUG: the kernel is tainted: 12800
		BUG: KCSAN: data-race in lease_put [usbpass] / vhci_rx_loop [vhci_hcd]
	END
	log_of "[    5.123456] BUG: KCSAN: data-race in vhci_rx_loop [vhci_hcd] / vhci_urb_enqueue [vhci_hcd]"
	"$selftests/vm/scan-log.sh" "$TMP/console.log"
	log_of "[    5.1] insmod: vmalloc error: size 8192" "[    5.2] Call Trace:"
	expect_fail "$selftests/vm/scan-log.sh" "$TMP/console.log"
	"$selftests/vm/scan-log.sh" "$TMP/console.log" "vmalloc error: size"
	log_of "[    5.1] insmod: vmalloc error: size 8192" "[    5.2] Call Trace:" "[    5.3] Call Trace:"
	expect_fail "$selftests/vm/scan-log.sh" "$TMP/console.log" "vmalloc error: size"
	: >"$TMP/console.log"
	expect_fail "$selftests/vm/scan-log.sh" "$TMP/console.log"
}

# run.sh over a tree of its own, with host tests only, so that nothing boots.
run_of_its_own()
{
	mkdir -p "$TMP/tree/host" "$TMP/tree/tests" "$TMP/tree/vm"
	cp "$selftests/run.sh" "$TMP/tree/"
	cp "$selftests/vm/groups.sh" "$TMP/tree/vm/"
	cp "$TMP/inner" "$TMP/tree/host/inner_test.sh"
	"$TMP/tree/run.sh" >"$TMP/output"
}

summary_counts()
{
	script inner 'plan 3' 'it "passes" true' 'it "is skipped" skip "no reason"' 'it "passes too" true'
	run_of_its_own
	same "2 passed, 0 failed, 1 skipped" "$(tail -n 1 "$TMP/output")" "the last line"

	script inner 'plan 2' 'it "passes" true' 'it "fails" false'
	expect_fail run_of_its_own
	same "1 passed, 1 failed, 0 skipped" "$(tail -n 1 "$TMP/output")" "the last line"

	script inner 'plan 2' 'it "passes" true' 'kill -KILL $$'
	expect_fail run_of_its_own
	same "1 passed, 1 failed, 0 skipped" "$(tail -n 1 "$TMP/output")" "the last line"

	script inner 'exit 0'
	expect_fail run_of_its_own
	script inner 'echo "TAP version 13"; echo "1..1"; echo "ok 1 passes"; trap - EXIT; exit 1'
	expect_fail run_of_its_own
	same "1 passed, 1 failed, 0 skipped" "$(tail -n 1 "$TMP/output")" "the last line"

	# A test in C that was never built.
	rm -r "$TMP/tree/host"
	mkdir "$TMP/tree/host"
	touch "$TMP/tree/host/unbuilt_test.c"
	expect_fail "$TMP/tree/run.sh" >"$TMP/output"
	same "0 passed, 1 failed, 0 skipped" "$(tail -n 1 "$TMP/output")" "the last line"
}

hanging_machine()
{
	local status=0

	"$selftests/vm/boot.sh" -t 4 -- true || status=$?
	same 124 $status "the status of a boot that takes too long"
}

# shellcheck disable=SC2016 # expanded by the guest
panicking_machine()
{
	local status=0

	"$selftests/vm/boot.sh" -d "$TMP/boot" -t 120 -- sh -c 'echo before; echo c >/proc/sysrq-trigger; sleep 60' >"$TMP/output" || status=$?
	same 125 $status "the status of a boot that panics"
	grep -q "^before" "$TMP/output"
	expect_fail "$selftests/vm/scan-log.sh" "$TMP/boot/console.log" >/dev/null
}

plan 8
it "a test that fails says where, and what it deferred is done" failing_test
it "a test that was planned and did not run is a failure" missing_test
it "waiting for what never comes ends when the time is over" time_out
it "a clean kernel log passes" clean_log
it "each kind of trouble in a kernel log fails, unless the test allowed it" troubled_logs
it "the summary counts what passed, failed, was skipped, died, or never ran" summary_counts
it "a boot that does not end in time is a failure" hanging_machine
it "a panic of the machine is a failure, and its log is too" panicking_machine
