# SPDX-License-Identifier: GPL-2.0
# awk -f conditions.awk conditions.tsv PAGE.scd: the page, with a table of conditions in the place of each line "; table NAME".
BEGIN { FS = "\t" }

function plain(text)
{
	gsub(/[\\*_]/, "\\\\&", text)
	return text
}

# The kinds of the fields that take the operator, as a list.
function kinds_of(operator,    i, list, seen)
{
	if (takers[operator] == n_fields - 1)
		return "everything"
	for (i = 1; i <= n_fields; i++)
		if (takes[fields[i], operator] && !seen[kind[fields[i]]]++)
			list = list (list ? ", " : "") kind[fields[i]]
	return list
}

function table_fields(    i)
{
	print "[[ *field*\n:[ *takes*\n:< *value*"
	for (i = 1; i <= n_fields; i++)
		printf "|  *%s*\n:  %s\n:  %s\n", fields[i], kind[fields[i]], value[fields[i]]
}

function table_operators(    i)
{
	print "[[ *operator*\n:[ *on*\n:< *holds where the device's value*"
	for (i = 1; i <= n_operators; i++)
		printf "|  *%s*%s\n:  %s\n:  %s\n", plain(operators[i]), other[i] ? " (*" other[i] "*)" : "", kinds_of(operators[i]), meaning[i]
}

function table_examples(    i)
{
	print "[[ *field*\n:< *with each operator that it takes*"
	for (i = 1; i <= n_fields; i++)
		if (examples[fields[i]])
			printf "|  *%s*\n:  %s\n", fields[i], examples[fields[i]]
}

function read(    words, field)
{
	if ($1 == "field") {
		fields[++n_fields] = $2
		kind[$2] = $3
		value[$2] = $4
	} else if ($1 == "operator") {
		operators[++n_operators] = $2
		other[n_operators] = $3
		meaning[n_operators] = $4
	} else if ($2) {
		split($1, words, " ")
		field = words[1]
		if (!takes[field, $2]++)
			takers[$2]++
		examples[field] = examples[field] (examples[field] ? ", " : "") (words[2] ? words[2] " " : "") "*" plain($2) "* " plain($3)
	}
}

FNR == NR {
	if ($0 !~ /^(#|$)/)
		read()
	next
}
$0 == "; table fields" { table_fields(); next }
$0 == "; table operators" { table_operators(); next }
$0 == "; table examples" { table_examples(); next }
/^; table / { print FILENAME ": " $0 ": no such table" >"/dev/stderr"; exit 1 }
{ print }
