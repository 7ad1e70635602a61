#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scan-log.sh LOG [ALLOWED...]
#
# Print the lines of a kernel log that tell of trouble, with what follows the first one. Status 0: there are none.
# ALLOWED are extended expressions of lines that a test provokes on purpose; the call trace that belongs to such a line, at most
# ten lines below it, is allowed with it.

set -u
log=$1
shift

trouble='WARNING:|BUG:|BUG |Oops|general protection|KASAN|KCSAN|UBSAN|KMSAN|kernel panic|Kernel panic|Call Trace|invalid opcode'
trouble+='|stack-protector|double fault|divide error|unable to handle|page fault|possible (circular|recursive) locking|inconsistent lock'
trouble+='|suspicious RCU usage|held lock freed|bad unlock balance|lock held when returning|sleeping function called|scheduling while atomic'
trouble+='|leaked|memory leak|blocked for more than|soft lockup|hard LOCKUP|detected stalls?|self-detected stall|ODEBUG|list_(add|del) corruption'
trouble+='|refcount_t: |use-after-free|slab-out-of-bounds|Objects remaining|nobody cared|page allocation failure|Out of memory|segfault'
trouble+='|usercopy: Kernel memory|overflow detected|trying to (register|unregister)|still has (buffers|objects)|unregister_netdevice: waiting'

# What the stock kernel says on every boot of such a machine.
harmless='process .systemd-udevd. .*ignored|Speculative Store Bypass|WARNING: .*(Spectre|Retbleed|MDS|mitigat)'
# And what the checkers say of themselves.
harmless+='|RCU callback double-/use-after-free debug is enabled|Kernel memory leak detector initialized|kcsan: '

[ -r "$log" ] || { echo "scan-log.sh: cannot read $log" >&2; exit 2; }
[ -s "$log" ] || { echo "scan-log.sh: $log is empty: the kernel said nothing at all" >&2; exit 1; }

# Races of the rest of the kernel are found too; the first line of a report names both functions, and their modules.
provoked=$(IFS='|'; echo "$*")
tr -d '\r' <"$log" | awk -v trouble="$trouble" -v harmless="$harmless" -v provoked="$provoked" '
	function tells() { return $0 ~ trouble && $0 !~ harmless && ($0 !~ /BUG: KCSAN/ || $0 ~ /\[usbpass\]/) }
	provoked != "" && $0 ~ provoked { allowed = NR; next }
	/Call Trace/ && allowed && NR <= allowed + 10 { allowed = 0; next }
	tells() { found++; if (found == 1) follow = 40 }
	tells() && follow <= 0 && found <= 20 { print; next }
	follow > 0 { print; follow-- }
	END { exit found > 0 }'
