# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Plug and unplug QEMU's emulated devices from inside the machine: vm/boot.sh gives it its own QMP monitor as a port.
# The xHCI controller is "x" (bus=x.0). QMP's events are left unread: wait for the effect in sysfs instead.
#
#   qmp COMMAND [JSON]            prints the returned JSON; an error of QEMU's is a failure
#   qmp_hmp LINE                  a line of the human monitor, prints the answer
#   qmp_plug SPEC                 device_add, SPEC as of -device: usb-kbd,id=k1,bus=x.0,port=2
#   qmp_unplug ID                 device_del
#   qmp_drive ID [SIZE [FILE]]    a drive for usb-storage's drive=ID: zeroes in memory, or a raw FILE of the *host's*
#                                 (default 64M); for several plugs of the same one

qmp()
{
	local command=$1 arguments=${2:-"{}"} id=$RANDOM$RANDOM line fd

	exec {fd}<>"${BED_QMP:?only in a machine booted by selftests/vm/boot.sh}" || return 1
	flock -w 30 "$fd" || { echo "qmp: the port is busy" >&2; return 1; }
	# Harmless where it has been done before: an error reply without our id.
	printf '{"execute":"qmp_capabilities"}\n' >&"$fd"
	printf '{"execute":"%s","arguments":%s,"id":"%s"}\n' "$command" "$arguments" "$id" >&"$fd"
	while IFS= read -r -t 30 line <&"$fd"; do
		case $line in
		*"\"id\": \"$id\""*)
			exec {fd}>&-
			if jq -e 'has("error")' >/dev/null <<<"$line"; then
				echo "qmp $command: $(jq -r .error.desc <<<"$line")" >&2
				return 1
			fi
			jq -c .return <<<"$line"
			return 0
			;;
		esac
	done
	exec {fd}>&-
	echo "qmp $command: no answer in 30 s" >&2
	return 1
}

qmp_hmp()
{
	qmp human-monitor-command "$(jq -nc --arg line "$1" '{"command-line": $line}')" | jq -r . | tr -d '\r'
}

# The human monitor's words are empty where it went well.
qmp_quiet()
{
	local answer

	answer=$(qmp_hmp "$1") || return 1
	[ -z "$answer" ] || { echo "$1: $answer" >&2; return 1; }
}

qmp_plug()
{
	qmp_quiet "device_add $1"
}

qmp_unplug()
{
	qmp device_del "$(jq -nc --arg id "$1" '{id: $id}')" >/dev/null
}

qmp_drive()
{
	local id=$1 size=${2:-64M} file=${3:-}

	if [ -n "$file" ]; then
		qmp blockdev-add "$(jq -nc --arg id "$id" --arg file "$file" \
			'{driver: "raw", "node-name": $id, file: {driver: "file", filename: $file}}')" >/dev/null
	else
		qmp blockdev-add "$(jq -nc --arg id "$id" --argjson size "$(numfmt --from=iec "$size")" \
			'{driver: "null-co", "node-name": $id, size: $size, "read-zeroes": true}')" >/dev/null
	fi
}
