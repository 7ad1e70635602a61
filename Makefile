# SPDX-License-Identifier: GPL-2.0
# usbpass: the module (Kbuild), and what stands around it. As root on a Debian 12 machine: make check
#
#   KDIR=      the kernel's build directory; default: the running kernel's, else the newest installed one
#   DESTDIR=   install below this directory, without depmod
#   SIGN_KEY=  SIGN_CERT=   sign the module at install (Secure Boot)

RELEASES := $(shell uname -r) $(shell ls /lib/modules 2>/dev/null | sort -rV)
KDIR ?= $(firstword $(wildcard $(RELEASES:%=/lib/modules/%/build)) /lib/modules/$(firstword $(RELEASES))/build)
# Not `make kernelrelease`, which in Debian's headers is another name than the one under /lib/modules.
KVER = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
MODLIB = /lib/modules/$(KVER)
MODULE = $(DESTDIR)$(MODLIB)/updates/usbpass.ko
DESTDIR ?=
export DESTDIR
# As many as there are processors where nobody says how many.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
MAKEFLAGS += --no-print-directory
# What runs here need not be what the tests boot; given ones go first.
TESTED = version=$$(.ci/test-kernel) && KDIR=$${KDIR:-/lib/modules/$$version/build} KERNEL=$${KERNEL:-/boot/vmlinuz-$$version}

all: modules userspace

modules:
	@test -e $(KDIR)/Makefile || { echo "no kernel headers in $(KDIR): make deps, or set KDIR=" >&2; exit 1; }
	$(MAKE) $(JOBS) -C $(KDIR) M=$(CURDIR) modules

userspace:
	$(MAKE) $(JOBS) -C userspace

selftests: userspace
	$(MAKE) $(JOBS) -C selftests

deps:
	.ci/deps

lint:
	KDIR=$(KDIR) .ci/lint

# KERNELS= one or more of stock, debug (KASAN, lockdep, kmemleak..., built once of Debian's source), kcsan.
KERNELS ?= stock debug
# One after the other, also under -j: lint's findings are to be read before the tests' output begins.
check:
	$(MAKE) deps
	$(TESTED) $(MAKE) all selftests
	$(TESTED) $(MAKE) lint
	@$(TESTED) selftests/run.sh $(KERNELS:%=--kernel %) $(ARGS)

check-long:
	$(MAKE) check ARGS="--long $(ARGS)"

check-debug check-kcsan:
	$(MAKE) deps
	$(TESTED) $(MAKE) all selftests
	@$(TESTED) selftests/run.sh --kernel $(@:check-%=%) $(ARGS)

# For MINUTES= (60): parsers in user space, then node, netlink and module on the debug kernel. SEED= repeats a run's choices.
fuzz:
	$(MAKE) deps
	$(TESTED) $(MAKE) all selftests
	@$(TESTED) selftests/fuzz/run.sh $(MINUTES)

# The tests' own test: planted bugs that they must catch.
check-checks:
	$(MAKE) deps
	$(TESTED) $(MAKE) all selftests
	@$(TESTED) selftests/mutants/run.sh $(ARGS)

demo bench:
	$(MAKE) deps
	$(TESTED) $(MAKE) all selftests
	@$(TESTED) selftests/$@/run.sh $(ARGS)

# Against `nft -f`, which nothing else here needs.
bench-rules:
	.ci/deps nftables
	$(TESTED) $(MAKE) all selftests
	@$(TESTED) selftests/bench/rules.sh $(ARGS)

# What is built is not looked at again: that takes long where the kernel's build is slow to start.
install:
	@test -e usbpass.ko -a -e userspace/usbpass || $(MAKE) all
	install -D -m 0644 usbpass.ko $(MODULE)
	strip --strip-debug $(MODULE)
	$(if $(SIGN_KEY),$(KDIR)/scripts/sign-file sha256 $(SIGN_KEY) $(SIGN_CERT) $(MODULE))
	$(MAKE) -C userspace install
	$(if $(DESTDIR),,.ci/installed $(KVER))

# What a trial installation holds is what goes.
uninstall:
	$(if $(DESTDIR),,.ci/uninstalling)
	trial=$$(mktemp -d) && $(MAKE) -s install DESTDIR=$$trial SIGN_KEY= && \
		(cd $$trial && find . -type f -printf '%P\n') | sed "s,^,$(DESTDIR)/," | xargs -d '\n' rm -fv && rm -r $$trial
	$(if $(DESTDIR),,.ci/installed $(KVER))

clean:
	$(if $(wildcard $(KDIR)/Makefile),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	$(MAKE) -C userspace clean
	$(MAKE) -C selftests clean
	$(RM) -r .cache

.PHONY: all modules userspace selftests deps lint check check-long check-debug check-kcsan check-checks fuzz demo bench bench-rules install uninstall clean
