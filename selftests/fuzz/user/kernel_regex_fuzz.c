// SPDX-License-Identifier: GPL-2.0
/*
 * A table from user space is refused, or leads nowhere outside of itself, whatever string is run on it. Input: a string up to a
 * NUL, then the table.
 */
#include <linux/err.h>
#include "fuzz.h"
#include "regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *string = strndup((const char *)data, size);
	size_t len = strlen(string), used = len + (len < size);
	struct usbpass_regex *regex = usbpass_regex_read(data + used, size - used);

	if (!IS_ERR(regex)) {
		struct usbpass_regex *shared = usbpass_regex_get(regex);
		bool fits = usbpass_regex_fits(regex, string);

		usbpass_regex_put(regex);
		CHECK(usbpass_regex_fits(shared, string) == fits, "a table says one thing and another");
		usbpass_regex_put(shared);
	} else {
		CHECK(PTR_ERR(regex) == -EINVAL, "error %ld", PTR_ERR(regex));
	}
	free(string);
	return 0;
}
