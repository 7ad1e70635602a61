# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The boots of run.sh: which files share one, on which kernels, and several at once. Sourced by it; uses its directive,
# seconds_of, record, tally, account and run_host.
#
#   queue_host FILE...            add the files that run here to the queue, as one that takes the place of a boot
#   boot_groups KERNEL FILE...    add the groups of the files to the queue
#   boot_queue                    run the queue, $jobs boots at a time, longest first; prints each when it has ended

# shellcheck disable=SC2154 # long and jobs are run.sh's

queue=()

group_of()
{
	local group

	group=$(directive "$1" group)
	if [ -z "$group" ]; then
		group=common
		[ -z "$(directive "$1" qemu)$(directive "$1" boots)$(directive "$1" kernel)$(directive "$1" memory)" ] || group=$(basename "$1" .sh)
	fi
	echo "$group"
}

# Whether FILE is for KERNEL: one without "on:" is for all.
is_on()
{
	local on=''

	[ "$long" = 0 ] || on=$(directive "$1" on.long)
	on=${on:-$(directive "$1" on)}
	[ -z "$on" ] || [[ " $on " == *" $2 "* ]]
}

# On another kernel than the stock one all takes longer.
slower_on()
{
	if [ "$1" = stock ]; then
		echo 1
	else
		echo 5
	fi
}

queue_host()
{
	local file seconds=0

	[ $# -gt 0 ] || return 0
	for file; do
		seconds=$((seconds + $(seconds_of "$file")))
	done
	queue+=("$seconds host host $*")
}

boot_groups()
{
	local kernel=$1 file group seconds slower
	local -A groups=() lengths=()
	shift

	slower=$(slower_on "$kernel")
	for file; do
		is_on "$file" "$kernel" || continue
		group=$(group_of "$file")
		groups[$group]+=" $file"
		seconds=$((slower * $(seconds_of "$file")))
		lengths[$group]=$((${lengths[$group]:-0} + seconds))
	done
	for group in "${!groups[@]}"; do
		queue+=("${lengths[$group]} $kernel $group${groups[$group]}")
	done
}

# Sets KERNEL, MODDIR and USBPASS_KO for a kernel that is not stock. What is stock may have been given from outside, and so may
# the module.
choose_kernel()
{
	local choice module

	[ "$1" != stock ] && [ "$1" != host ] || return 0
	choice=$(vm/build-kernel.sh "$1") || return 1
	eval "$choice"
	export KERNEL MODDIR
	[ -z "${USBPASS_KO:-}" ] || return 0
	module=$PWD/../.cache/module-$1
	# Line counts of the module only: in the whole kernel they would cost more than all the rest.
	if [ "$1" = debug ]; then
		vm/build-module.sh "$KDIR" "$module" GCOV_PROFILE=y || return 1
	else
		vm/build-module.sh "$KDIR" "$module" || return 1
	fi
	USBPASS_KO=$(cd "$module" && pwd)/usbpass.ko
	export USBPASS_KO
}

# run_group KERNEL NAME DIR FILE...: in a subshell of its own, with $out as its place for results
run_group()
{
	local kernel=$1 name=$2 place=$3 boots=1 boot file status options seconds label dir began allowed memory cpus slower more=0
	shift 3

	slower=$(slower_on "$kernel")
	# Checkers cost memory too, and a warning is the end: what follows one is worth nothing.
	[ "$kernel" = stock ] || more=1024
	for file; do
		boots=$(directive "$file" boots | sort -n | tail -n 1)
		boots=${boots:-1}
	done
	mkdir -p "$place/state"
	for ((boot = 1; boot <= boots; boot++)); do
		label=$kernel/$name
		[ "$boots" -eq 1 ] || label="$label ($boot of $boots)"
		dir=$place/$boot options=() seconds=$((90 * slower)) allowed=() memory=1024 cpus=1
		# SMAP makes QEMU leave its code at each copy from and to user space. Stock has it; where it is not, KASAN reports a
		# user pointer that is followed.
		[ "$kernel" = stock ] || options+=(-q "-cpu max,-erms,-smap")
		case $kernel in
		stock) ;;
		# On one processor nothing races, and the first report may be somebody else's. Emulated, an access is to be watched
		# more often and longer than is good on real ones.
		kcsan) cpus=2 options+=(-a "kcsan.skip_watch=400 kcsan.udelay_task=400 kcsan.udelay_interrupt=100") ;;
		*) options+=(-a panic_on_warn=1) ;;
		esac
		for file; do
			seconds=$((seconds + slower * $(seconds_of "$file")))
			while read -r line; do options+=(-q "$line"); done < <(directive "$file" qemu; directive "$file" "qemu.$boot")
			while read -r line; do options+=(-a "$line"); done < <(directive "$file" kernel)
			while read -r line; do allowed+=("$line"); done < <(directive "$file" log)
			while read -r line; do cpus=$((line > cpus ? line : cpus)); done < <(directive "$file" cpus)
			while read -r line; do memory=$((line > memory ? line : memory)); done < <(directive "$file" memory)
			printf '%s %s\n' "$((slower * $(seconds_of "$file")))" "$file"
		done >"$place/state/.tests"
		: >"$out/begun"
		: >"$out/ended"
		echo "boot: $label"
		began=$SECONDS
		vm/boot.sh -n "$label" -d "$dir" -s "$place/state" -m "$((memory + more))" -c "$cpus" -t "$seconds" "${options[@]+"${options[@]}"}" \
			-e "LONG=$long" -e "BOOT=$boot" -e "ON=$kernel" -e "SLOWER=$slower" ${USBPASS_KO:+-e "USBPASS_KO=$USBPASS_KO"} \
			${SEED:+-e "SEED=$SEED"} ${MINUTES:+-e "MINUTES=$MINUTES"} \
			-- selftests/vm/tests.sh 2>&1 9>&- | tally "$kernel"
		status=${PIPESTATUS[0]}
		account "$kernel" "$@"
		if [ "$status" -eq 0 ]; then
			record ok "$label" "the machine goes down when asked ($((SECONDS - began)) s)"
		else
			record FAIL "$label" "the machine goes down when asked (status $status; $dir/console.log)"
		fi
		if vm/scan-log.sh "$dir/console.log" "${allowed[@]+"${allowed[@]}"}" >"$dir/trouble"; then
			record ok "$label" "the kernel log is clean"
		else
			record FAIL "$label" "the kernel log is clean ($dir/console.log)"
			sed 's/^/      /' "$dir/trouble"
		fi
	done
}

# One entry of the queue; what it prints is shown whole, as two boots' lines in one another can be read by nobody.
run_entry()
{
	local kernel=$2 name=$3 place=$out/$2/$3
	shift 3

	rm -rf "$place"
	mkdir -p "$place"
	out=$place
	: >"$out/results"
	[ "$jobs" -eq 1 ] || exec >"$place/output" 2>&1
	if [ "$kernel" = host ]; then
		: >"$out/begun"
		: >"$out/ended"
		run_host "$@" 2>&1 | tally host
		account host "$@"
	else
		run_group "$kernel" "$name" "$place" "$@"
	fi
}

boot_queue()
{
	local entry words pid running=0 kernels=() kernel place
	local -A places=()

	# Both may take minutes, and boots would only wait for one another's builds.
	mapfile -t kernels < <(printf '%s\n' "${queue[@]+"${queue[@]}"}" | awk 'NF { print $2 }' | sort -u)
	for kernel in "${kernels[@]+"${kernels[@]}"}"; do
		(choose_kernel "$kernel") || { record FAIL "$kernel" "the kernel and its module can be built"; return; }
	done
	mapfile -t queue < <(printf '%s\n' "${queue[@]+"${queue[@]}"}" | sort -k1,1nr -s)
	for entry in "${queue[@]}" ''; do
		while [ $running -gt 0 ] && { [ -z "$entry" ] || [ $running -ge "$jobs" ]; }; do
			wait -n -p pid
			place=${places[$pid]}
			[ ! -e "$place/output" ] || cat "$place/output"
			cat "$place/results" >>"$out/results"
			running=$((running - 1))
		done
		[ -n "$entry" ] || break
		read -ra words <<<"$entry"
		(choose_kernel "${words[1]}" && run_entry "${words[@]}") &
		places[$!]=$out/${words[1]}/${words[2]}
		running=$((running + 1))
	done
}
