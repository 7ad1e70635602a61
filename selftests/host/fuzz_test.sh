#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What parses other people's bytes, under libFuzzer and sanitizers: short, from a fixed seed (fuzz/user/run.sh MINUTES is long).
#
# timeout: 600 5400

. "$(dirname "$0")/../lib/ktap.sh"
fuzz=$TOP/selftests/fuzz/user
names=(rule_text state codec message names inuse import print kernel_descriptor kernel_name kernel_filter kernel_regex kernel_rule
	kernel_ruleset)
declare -A sentences=(
	[rule_text]="the rule parser reads back what it prints, and errs within the text"
	[state]="the YAML loader reads back what it writes, and errs within the file"
	[codec]="objects of the kernel decode within their attributes, and go back unchanged"
	[message]="whatever comes from the socket ends a call with an answer or words"
	[names]="strings of devices are made safe without loss, and mean one device or none"
	[inuse]="what procfs says of mounts, swap and processes cannot break the look at them"
	[import]="whatever stands in other systems' rules becomes a configuration that loads, and words that a terminal shows"
	[print]="no verb of the helper lets a terminal obey a string, and JSON stays JSON"
	[kernel_descriptor]="the kernel reads hostile descriptors within their bytes"
	[kernel_name]="the kernel makes a path of every name that it takes"
	[kernel_filter]="no SETUP packet desynchronizes or trespasses"
	[kernel_regex]="an expression's table is refused, or leads nowhere outside of itself"
	[kernel_rule]="conditions mean what the manual says, whatever a device calls itself"
	[kernel_ruleset]="the index finds what a walk finds, and looks at no rule of another vendor:product"
)

printf 'int LLVMFuzzerTestOneInput(const char *d, long n) { return !d || n < 0; }\n' |
	clang -fsanitize=fuzzer,address,undefined -x c -o "$TMP/probe" - 2>"$TMP/probe.log" ||
	skip_all "no clang with libFuzzer and sanitizers here (clang, libclang-rt-dev)"

executions=0
minutes=()
[ "$LONG" = 0 ] || minutes=(3)

# Every target that the Makefile knows has its sentence here.
all_known()
{
	same "$(make -s -C "$fuzz" list | tr ' ' '\n' | sort)" "$(printf '%s\n' "${names[@]}" | sort)" "the list of targets"
}

survives()
{
	"$fuzz/run.sh" --target "$1" "${minutes[@]}" >"$TMP/$1.out" 2>&1 || { cat "$TMP/$1.out"; return 1; }
}

plan $((${#names[@]} + 1))
it "every target is run" all_known
for name in "${names[@]}"; do
	it "${sentences[$name]}" survives "$name"
	n=$(sed -n 's/^[a-z_]*: \([0-9]*\) executions.*/\1/p' "$TMP/$name.out" 2>/dev/null)
	executions=$((executions + ${n:-0}))
done
[ $ktap_failed -ne 0 ] ||
	echo "# figure: user-space fuzzing: $executions executions over ${#names[@]} targets, no finding"
