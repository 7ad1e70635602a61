// SPDX-License-Identifier: GPL-2.0
#include <linux/usbpass.h>
#include <stdlib.h>
#include "rule_regex.h"
#include "rule_regex_private.h"

int usbpass_regex_compile(const char *expression, uint8_t **table, size_t *size, size_t *at,
			  char *err, size_t errsize)
{
	struct regex_error error = { .text = err, .size = errsize };
	struct regex_nodes nodes;
	uint8_t *made = NULL;
	int ret = regex_parse(expression, &nodes, &error);

	if (!ret)
		ret = regex_table(&nodes, &made, size, &error);
	free(nodes.nodes);
	*at = error.at;
	if (!ret && table)
		*table = made;
	else
		free(made);
	return ret;
}

bool usbpass_regex_run(const uint8_t *table, const char *string)
{
	unsigned int n = table[0], n_classes = table[1], state = 0;
	const uint8_t *classes = table + 2, *accepts = classes + 256, *next = accepts + n;

	for (; *string; string++)
		state = next[state * n_classes + classes[(unsigned char)*string]];
	return accepts[state];
}
