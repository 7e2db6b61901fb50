# rstat: see README.md for the two commands, docs/design.md for the tour.
#
#   make [run|test|check|fuzz|bench|size|install|install-caps|clean]   CC= CLANG= CFLAGS= V=1
#
# The program needs clang (for -target bpf), a C compiler and make. Everything else is for tests.

CC ?= cc
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
HOSTCC ?= $(CLANG)
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
VERSION := 0.1.0

build := build
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

warnings := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef
language := -std=gnu11 -I. -DRSTAT_VERSION='"$(VERSION)"'
# Freestanding: no library, and a compiler that keeps to what memory.c offers.
freestanding := -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-fPIE -fvisibility=hidden -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fno-math-errno -fno-common -ffunction-sections -fdata-sections \
	-ffile-prefix-map=$(CURDIR)=. -gno-record-gcc-switches
# The stack protector's secret is a plain variable: there is no thread storage to hold it.
is_clang := $(shell $(CC) --version 2>/dev/null | grep -qi clang && echo 1)
machine := $(shell $(CC) -dumpmachine 2>/dev/null)
protector := -fstack-protector-strong $(if $(findstring x86_64,$(machine)),-mstack-protector-guard=global)
ifeq ($(is_clang),1)
own_loops := -fno-builtin
freestanding := $(filter-out -gno-record-gcc-switches,$(freestanding))
else
own_loops := -fno-builtin -fno-tree-loop-distribute-patterns
endif
link := -static-pie -nostdlib -nostartfiles -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	-Wl,--gc-sections,--build-id=none,--no-dynamic-linker,--orphan-handling=place

sources := $(wildcard loader/*.c collect/*.c emit/*.c)
objects := $(sources:%.c=$(build)/%.o) $(build)/probe/embed.o
bpf_object := $(build)/probe/rstat.bpf.o

all: rstat

rstat: $(build)/rstat.debug
	$(call say,STRIP,$@)$(if $(findstring aarch64,$(machine)),aarch64-linux-gnu-strip,strip) -o $@ $<

$(build)/rstat.debug: $(objects) $(build)/.flags
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(link) -o $@ $(objects)

$(build)/%.o: %.c $(build)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(language) $(warnings) $(freestanding) $(protector) $(CFLAGS) -MMD -MP -c -o $@ $<

$(build)/loader/start.o: protector := -fno-stack-protector
$(build)/loader/memory.o: protector := -fno-stack-protector $(own_loops)

# Objects of one compiler or option set never meet those of another.
flags := $(CC) $(CLANG) $(CFLAGS) $(link) $(VERSION)
$(build)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' > $@
FORCE:

# ---- the probe: compiled for the bpf target, cut down to what the loader reads, embedded
bpf_flags := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -I. -ffreestanding -nostdinc \
	-isystem $(shell $(CLANG) -print-file-name=include) -fno-stack-protector \
	-ffile-prefix-map=$(CURDIR)=. $(warnings) -Wno-missing-prototypes

$(bpf_object:.o=.full.o): probe/rstat.bpf.c $(build)/.flags
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(bpf_flags) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(bpf_object): $(bpf_object:.o=.full.o) $(build)/trim
	$(call say,TRIM,$@)$(build)/trim $< $@

$(build)/trim: probe/tool/trim.c $(build)/.flags
	$(call say,HOSTCC,$<)$(HOSTCC) -O1 -std=gnu11 -Wall -Wextra -Werror -o $@ $<

$(build)/probe/embed.o: probe/embed.S $(bpf_object)
	$(call say,EMBED,$@)$(CC) -I$(build)/probe -c -o $@ $<

run: rstat
	./rstat

# ---- tests
# The same sources, hosted, under the sanitizers; main.c, start.c and memory.c are what a libc brings.
unit_cc := $(CLANG)
unit_flags := -std=gnu11 -I. -DRSTAT_VERSION='"$(VERSION)"' -O1 -g -fno-omit-frame-pointer $(warnings) \
	-fsanitize=address,undefined -fno-sanitize-recover=all
unit_sources := $(filter-out loader/start.c loader/memory.c emit/main.c,$(sources))
unit_objects := $(unit_sources:%.c=$(build)/unit/%.o)
unit_tests := $(patsubst test/unit/%.c,$(build)/unit/%,$(wildcard test/unit/test_*.c))

$(build)/unit/%.o: %.c
	@mkdir -p $(@D)
	$(call say,UNIT,$<)$(unit_cc) $(unit_flags) -MMD -MP -c -o $@ $<

.PRECIOUS: $(build)/unit/test/unit/%.o
$(build)/unit/test_%: $(build)/unit/test/unit/test_%.o $(unit_objects)
	$(call say,LINK,$@)$(unit_cc) $(unit_flags) -o $@ $^ -lcmocka

unit: $(unit_tests)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(unit_tests)

# Live: beside real loads, held against the kernel's own numbers. They run as root.
$(build)/test/load: test/kernel/load.c $(build)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -O2 -g -std=gnu11 $(warnings) -pthread -o $@ $<

live: rstat $(build)/test/load
	prove -Itest/lib test/kernel/*.t

clean:
	rm -rf $(build) rstat

-include $(shell find $(build) -name '*.d' 2>/dev/null)

.PHONY: all run unit live test check fuzz bench size install install-caps clean FORCE
.DELETE_ON_ERROR:
