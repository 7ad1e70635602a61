# SPDX-License-Identifier: GPL-2.0
# usbpass: the module (Kbuild), and what stands around it. As root on a Debian 12 machine: make check
#
#   KDIR=      the kernel's build directory; default: the running kernel's, else the newest installed one
#   DESTDIR=   install below this directory, without depmod and update-initramfs
#   SIGN_KEY=  SIGN_CERT=   sign the module at install (Secure Boot)

RELEASES := $(shell uname -r) $(shell ls /lib/modules 2>/dev/null | sort -rV)
KDIR ?= $(firstword $(wildcard $(RELEASES:%=/lib/modules/%/build)) /lib/modules/$(firstword $(RELEASES))/build)
KVER = $(shell $(MAKE) -s -C $(KDIR) kernelrelease)
MODULES_DIR = $(DESTDIR)/lib/modules/$(KVER)/updates
DESTDIR ?=
export DESTDIR

all: modules userspace

modules:
	@test -e $(KDIR)/Makefile || { echo "no kernel headers in $(KDIR): make deps, or set KDIR=" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

userspace:
	$(MAKE) -C userspace

selftests: userspace
	$(MAKE) -C selftests

deps:
	.ci/deps

lint: userspace
	KDIR=$(KDIR) .ci/lint

# One after the other, also under -j: lint's findings are to be read before the tests' output begins.
check:
	$(MAKE) deps
	$(MAKE) all selftests
	$(MAKE) lint
	selftests/run.sh $(ARGS)

check-long:
	$(MAKE) check ARGS="--long $(ARGS)"

demo: all
	selftests/demo/run.sh

bench: all selftests
	selftests/bench/run.sh

install: all
	install -D -m 0644 usbpass.ko $(MODULES_DIR)/usbpass.ko
	$(if $(SIGN_KEY),$(KDIR)/scripts/sign-file sha256 $(SIGN_KEY) $(SIGN_CERT) $(MODULES_DIR)/usbpass.ko)
	$(MAKE) -C userspace install
	$(if $(DESTDIR),,.ci/installed $(KVER))

# What a trial installation holds is what goes.
uninstall: all
	$(if $(DESTDIR),,.ci/uninstalling)
	trial=$$(mktemp -d) && $(MAKE) -s install DESTDIR=$$trial SIGN_KEY= && \
		(cd $$trial && find . -type f -printf '%P\n') | sed "s,^,$(DESTDIR)/," | xargs -d '\n' rm -fv && rm -r $$trial
	$(if $(DESTDIR),,.ci/installed $(KVER))

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C userspace clean
	$(MAKE) -C selftests clean
	$(RM) -r .cache

.PHONY: all modules userspace selftests deps lint check check-long demo bench install uninstall clean
