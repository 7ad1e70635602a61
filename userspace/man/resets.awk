# SPDX-License-Identifier: GPL-2.0
# awk -f resets.awk resets.tsv PAGE.scd: the page, with the table of resets in the place of the line "; table resets".
BEGIN { FS = "\t" }

# One row for an action and QEMU's properties, with a column for each policy.
function table_resets(    i, action)
{
	print "[[ *guest or QEMU*\n:[ *QEMU's properties*\n:[ *resets*\n:[ *none*\n:[ *device*\n:[ *hub*"
	for (i = 1; i <= n_rows; i++) {
		printf "|  %s\n:  %s\n:  %s\n", actions[i] == action ? "" : meaning[actions[i]], properties[with[i]], reaches[i]
		printf ":  %s\n:  %s\n:  %s\n", does[i, "none"], does[i, "device"], does[i, "hub"]
		action = actions[i]
	}
}

function read()
{
	if ($1 == "action") {
		meaning[$2] = $3
	} else if ($1 == "properties") {
		properties[$2] = $3
	} else if ($1 == "row") {
		if ($2 != actions[n_rows] || $3 != with[n_rows] || $5 != reaches[n_rows])
			n_rows++
		actions[n_rows] = $2
		with[n_rows] = $3
		reaches[n_rows] = $5
		does[n_rows, $4] = $6
	}
}

FNR == NR {
	if ($0 !~ /^(#|$)/)
		read()
	next
}
$0 == "; table resets" { table_resets(); next }
{ print }
