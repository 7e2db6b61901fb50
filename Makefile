# rstat: see README.md for the two commands, docs/design.md for the tour.
#
#   make [run|test|check|fuzz|soak|vm|bench|cost|size|install|install-caps|dist|clean]   CC= CLANG= CFLAGS= DESTDIR= PREFIX= V=1
#
# Where no one clang does all (docs/nixos.md): BPF_CLANG= compiles the probe, HOSTCC= its tools, PROBE=FOLDER has one packed before.
#
# The program needs clang (for -target bpf), a C compiler and make. Everything else is for tests.

CC ?= cc
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
HOSTCC ?= $(CLANG)
BPF_CLANG ?= $(CLANG)
CFLAGS ?= -Os -g
PREFIX ?= /usr/local
VERSION := 0.1.0

build := build
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

# newer compilers know more to warn of: who packages rstat says WERROR=
WERROR ?= -Werror
warnings := -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
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
# the compiler knows the strip of its target; clang may not
strip_tool := $(shell $(CC) -print-prog-name=strip 2>/dev/null || echo strip)
# aarch64: atomics in line, not through libgcc, which is not linked
freestanding += $(if $(findstring aarch64,$(machine)),-mno-outline-atomics)
protector := -fstack-protector-strong $(if $(findstring x86_64,$(machine)),-mstack-protector-guard=global)
ifeq ($(is_clang),1)
own_loops := -fno-builtin
freestanding := $(filter-out -gno-record-gcc-switches,$(freestanding))
else
own_loops := -fno-builtin -fno-tree-loop-distribute-patterns
endif
link := -static-pie -nostdlib -nostartfiles -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	-Wl,--gc-sections,--build-id=none,--no-dynamic-linker,--orphan-handling=place
# relocations in bits instead of 24 bytes each, where the linker can
relr := -Wl,-z,pack-relative-relocs
link += $(shell said=$$(echo 'void _start(void) {}' | $(CC) -x c -fPIE -static-pie -nostdlib -nostartfiles $(relr) -o /dev/null - 2>&1) && \
	[ -z "$$said" ] && echo '$(relr)')

sources := $(wildcard loader/*.c collect/*.c emit/*.c)
# What only the start runs is linked first, its end marked by cold.c: its memory is given up (loader/cold.h).
cold := $(filter loader/attach.c loader/btf.c loader/core.c loader/elf.c loader/failure.c loader/load.c loader/machine.c \
	loader/object.c loader/tracepoint.c loader/unpack.c emit/bench.c emit/check.c emit/check_sensors.c \
	emit/main.c emit/options.c emit/profile.c, $(sources))
objects := $(patsubst %.c,$(build)/%.o,$(cold) loader/cold.c $(filter-out $(cold) loader/cold.c,$(sources))) $(build)/probe/embed.o
bpf_object := $(build)/probe/rstat.bpf.o

all: rstat

rstat: $(build)/rstat.debug
	$(call say,STRIP,$@)$(strip_tool) -o $@ $<

$(build)/rstat.debug: $(objects) $(build)/.flags
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(link) -o $@ $(objects)

$(build)/%.o: %.c $(build)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(language) $(warnings) $(freestanding) $(protector) $(CFLAGS) $(speed) -MMD -MP -c -o $@ $<

# What runs in every sample is worth the bytes.
fast := collect/parse.o collect/memory.o loader/memory.o emit/utf8.o emit/format.o
$(addprefix $(build)/,$(fast)): speed := -O2

$(build)/loader/start.o: protector := -fno-stack-protector
$(build)/loader/memory.o: protector := -fno-stack-protector $(own_loops)

# Objects of one compiler or option set never meet those of another.
flags := $(CC) $(CLANG) $(BPF_CLANG) $(PROBE) $(CFLAGS) $(freestanding) $(protector) $(link) $(VERSION) $(fast)
$(build)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(flags)' | cmp -s - $@ || echo '$(flags)' > $@
FORCE:

# ---- the probe: compiled for the bpf target, cut down to what the loader reads, embedded
packed := $(if $(PROBE),$(PROBE)/rstat.bpf.packed,$(bpf_object:.o=.packed))
bpf_flags = -target bpf -mcpu=v3 -O2 -g -std=gnu11 -I. -ffreestanding -nostdinc \
	-isystem $(shell $(BPF_CLANG) -print-file-name=include) -fno-stack-protector \
	-ffile-prefix-map=$(CURDIR)=. $(warnings) -Wno-missing-prototypes

$(bpf_object:.o=.full.o): probe/rstat.bpf.c $(build)/.flags
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(BPF_CLANG) $(bpf_flags) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(bpf_object): $(bpf_object:.o=.full.o) $(build)/trim
	$(call say,TRIM,$@)$(build)/trim $< $@

$(bpf_object:.o=.packed): $(bpf_object) $(build)/pack
	$(call say,PACK,$@)$(build)/pack $< $@

$(build)/trim $(build)/pack: $(build)/%: probe/tool/%.c $(build)/.flags
	$(call say,HOSTCC,$<)$(HOSTCC) -O1 -std=gnu11 -Wall -Wextra $(WERROR) -o $@ $<

probe: $(packed)

$(build)/probe/embed.o: probe/embed.S $(packed) $(build)/.flags
	@mkdir -p $(@D)
	$(call say,EMBED,$@)$(CC) -I$(dir $(packed)) -c -o $@ $<

run: rstat
	./rstat

# ---- tests
# The same sources, hosted, under the sanitizers; main.c, start.c and memory.c are what a libc brings, but for
# start_facts(), which has a stand-in.
unit_cc := $(CLANG)
unit_flags := -std=gnu11 -I. -DRSTAT_VERSION='"$(VERSION)"' -O1 -g -fno-omit-frame-pointer $(warnings) \
	-fsanitize=address,undefined -fno-sanitize-recover=all
unit_sources := $(filter-out loader/start.c loader/memory.c loader/cold.c emit/main.c,$(sources))
unit_objects := $(unit_sources:%.c=$(build)/unit/%.o) $(build)/unit/test/unit/start.o $(build)/probe/embed.o
unit_tests := $(patsubst test/unit/%.c,$(build)/unit/%,$(wildcard test/unit/test_*.c))

$(build)/unit/%.o: %.c
	@mkdir -p $(@D)
	$(call say,UNIT,$<)$(unit_cc) $(unit_flags) -MMD -MP -c -o $@ $<

.SECONDARY: $(unit_objects)
$(build)/unit/test_%: $(build)/unit/test/unit/test_%.o $(unit_objects)
	$(call say,LINK,$@)$(unit_cc) $(unit_flags) -o $@ $^ -lcmocka

unit: $(unit_tests)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(unit_tests)

# ---- fuzzing: the sources of the unit tests once more, with libFuzzer's counters; test/fuzz/fuzz.h, docs/fuzzing.md
fuzz_build := $(build)/fuzz
fuzz_sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz_packages := jansson glib-2.0 pango vterm liblz4
fuzz_flags := -Itest/fuzz/system $(filter-out -fsanitize% -fno-sanitize%,$(unit_flags)) -D_GNU_SOURCE -fsanitize=fuzzer-no-link $(fuzz_sanitize)
fuzz_objects := $(patsubst %.c,$(fuzz_build)/%.o,$(unit_sources) test/unit/start.c test/fuzz/fake.c)
fuzz_targets := $(patsubst test/fuzz/%.c,$(fuzz_build)/%,$(wildcard test/fuzz/fuzz_*.c))
# of each target in turn, as many at a time as jobs
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 1
FUZZ_ONLY ?= .

$(fuzz_build)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)$(unit_cc) $(fuzz_flags) $(fuzz_extra) -MMD -MP -c -o $@ $<

$(fuzz_build)/collect/tasks.o: fuzz_extra := -include test/fuzz/loads.h
# jansson, which judges, has a function of the same name
$(fuzz_build)/emit/%.o: fuzz_extra := -Djson_string=rstat_json_string
$(fuzz_build)/test/fuzz/%.o: fuzz_extra = $(shell pkg-config --cflags $(fuzz_packages))

$(fuzz_build)/librstat.a: $(fuzz_objects)
	@rm -f $@ && ar rcs $@ $^

.SECONDARY: $(fuzz_targets:$(fuzz_build)/%=$(fuzz_build)/test/fuzz/%.o)
$(fuzz_build)/fuzz_%: $(fuzz_build)/test/fuzz/fuzz_%.o $(fuzz_build)/librstat.a $(build)/probe/embed.o
	$(call say,LINK,$@)$(unit_cc) -fsanitize=fuzzer $(fuzz_sanitize) -o $@ $^ -Wl,--as-needed $(shell pkg-config --libs $(fuzz_packages))

fuzz-files: $(fuzz_targets)

fuzz: fuzz-files
	FUZZ_SECONDS='$(FUZZ_SECONDS)' FUZZ_JOBS='$(FUZZ_JOBS)' FUZZ_ONLY='$(FUZZ_ONLY)' test/fuzz/run

# What the corpora reach, by clang's counters, and which functions they do not: docs/fuzzing.md. `everything` has all sources
# in it, so that those which no target links are counted, too.
coverage_build := $(build)/coverage
coverage_make = $(MAKE) --no-print-directory fuzz_build=$(coverage_build) \
	fuzz_sanitize='-fprofile-instr-generate -fcoverage-mapping'

$(fuzz_build)/everything: $(fuzz_build)/test/fuzz/fuzz_history.o $(fuzz_build)/librstat.a $(build)/probe/embed.o
	$(call say,LINK,$@)$(unit_cc) -fsanitize=fuzzer $(fuzz_sanitize) -o $@ -Wl,--whole-archive $^ -Wl,--no-whole-archive

fuzz-coverage-files: $(fuzz_targets) $(fuzz_build)/everything

coverage-files:
	$(coverage_make) fuzz-coverage-files

fuzz-coverage: coverage-files
	test/fuzz/coverage $(coverage_build) --write

# The probe with one thing taken out of it or put in, by which the tests show what takes its place or is done about it.
variants := blind unborn deaf gone second twice lazy slow leaky refused
$(build)/test/probe-%.bpf.o: test/kernel/variant probe/rstat.bpf.c $(wildcard probe/*.h) $(build)/trim
	@mkdir -p $(@D)
	$(call say,BPF,$@)test/kernel/variant $* < probe/rstat.bpf.c > $(@:.o=.c) && \
		$(BPF_CLANG) $(bpf_flags) -c -o $(@:.o=.full.o) $(@:.o=.c) && $(build)/trim $(@:.o=.full.o) $@
variant_objects := $(variants:%=$(build)/test/probe-%.bpf.o)

# All tests: unit tests under the sanitizers, then the live ones on this kernel (root).
live_tests := $(wildcard test/kernel/*.t test/bars/*.t test/model/*.t test/fuzz/*.t test/nix/*.t test/cost/*.t) test/faults.t test/soak.t \
	test/packages.t
live-files: $(build)/test/load $(build)/test/inject $(build)/test/fault $(build)/test/burden $(build)/test/cost/cost $(variant_objects)

test: rstat $(unit_tests) live-files fuzz-files coverage-files
	CMOCKA_MESSAGE_OUTPUT=TAP test/runner $(unit_tests) -- $(live_tests)

live: rstat live-files fuzz-files coverage-files
	prove --timer -Itest/lib $(live_tests)

$(build)/test/load: test/kernel/load.c test/kernel/load_more.c test/kernel/load.h
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -o $@ $(filter %.c,$^) -lpthread

$(build)/test/inject: test/kernel/inject.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -o $@ $<

$(build)/test/fault: test/kernel/fault.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -o $@ $< -lpthread

$(build)/test/burden: test/bench/burden.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -o $@ $<

# Instructions of a sample's steps (test/cost): the objects that ship, but for main.c, with one that runs the steps.
# No two steps may become one function.
cost_flags = $(if $(is_clang),,-fno-ipa-icf) -DCOST_COMPILER='"$(if $(is_clang),clang,gcc) $(firstword $(subst -, ,$(machine)))"' -DCOST_FLAGS='"$(CFLAGS)"'
$(build)/test/cost/cost.o: test/cost/cost.c $(build)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(language) $(warnings) $(freestanding) $(protector) $(CFLAGS) $(cost_flags) -MMD -MP -c -o $@ $<

$(build)/test/cost/cost: $(build)/test/cost/cost.o $(filter-out $(build)/emit/main.o,$(objects)) $(build)/.flags
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(link) -o $@ $(filter %.o,$^)

# ---- the kernel matrix: the live tests in guests of other kernels, see test/vm/matrix
vm_architectures := amd64 arm64
vm_compiler_amd64 := $(CC)
vm_compiler_arm64 := aarch64-linux-gnu-gcc
vm_rstat_amd64 := $(build)/rstat.debug
vm_rstat_arm64 := $(build)/aarch64/rstat.debug

$(build)/vm/%/load $(build)/vm/%/inject $(build)/vm/%/true: test/kernel/load.c test/kernel/load_more.c test/kernel/load.h test/kernel/inject.c
	@mkdir -p $(@D)
	$(call say,CC,test/kernel/inject.c)$(vm_compiler_$*) -std=gnu11 -O2 -static -o $(@D)/inject test/kernel/inject.c
	$(call say,CC,$<)$(vm_compiler_$*) -std=gnu11 -O2 -static -o $(@D)/load test/kernel/load.c test/kernel/load_more.c -lpthread
	@echo 'int main(void) { return 0; }' | $(vm_compiler_$*) -x c -O2 -static -o $(@D)/true -

vm: rstat $(build)/test/probe-second.bpf.o $(build)/test/probe-twice.bpf.o $(foreach a,$(vm_architectures),$(build)/vm/$a/load)
	$(MAKE) --no-print-directory CC=$(vm_compiler_arm64) build=$(build)/aarch64 $(vm_rstat_arm64)
	test/vm/fetch
	$(foreach a,$(vm_architectures),test/vm/image $a $(vm_rstat_$a) $(build)/vm/$a $(build)/vm/$a.cpio &&) true
	truncate -s 0 $(build)/vm/disk && truncate -s 160M $(build)/vm/disk && mke2fs -q -t ext4 $(build)/vm/disk
	prove --timer test/vm/matrix.t

# What would be found before anything runs: other compilers, another architecture, static analysis, style.
analysis_sources := $(sources) $(wildcard probe/tool/*.c)
analyze:
	$(MAKE) --no-print-directory CC=clang build=$(build)/clang $(build)/clang/rstat.debug
	$(MAKE) --no-print-directory CC=gcc CFLAGS='-O2 -g' build=$(build)/gcc $(build)/gcc/rstat.debug
	$(MAKE) --no-print-directory CC=aarch64-linux-gnu-gcc build=$(build)/aarch64 $(build)/aarch64/rstat.debug
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
		--suppress=missingInclude -I. -DRSTAT_VERSION='""' -D__x86_64__ $(analysis_sources)
	mandoc -T lint -W warning docs/rstat.1
	shellcheck docs/packages/dist docs/packages/PKGBUILD docs/packages/rstat.install docs/packages/debian/p*
	shellcheck docs/completions/rstat.bash .ci/run test/run test/accuracy test/vm/fetch test/vm/image test/vm/init

# Everything: what CI runs.
check: analyze
	$(MAKE) --no-print-directory test

# Each mechanism that the numbers rest on, taken out: its test must fail.
mutants: rstat live-files
	prove --timer --verbose test/mutants

# The life of a slot, in every order of its steps.
model:
	prove --timer --verbose test/model

# The loads with long windows and a million processes; the table goes to docs/accuracy.md. Wants a machine of its own.
accuracy: rstat live-files
	test/accuracy

# Half an hour each by btf and by perf of what test/soak.t does for moments: SOAK_MINUTES=, SOAK_ATTACH=. Takes CPUs away.
SOAK_MINUTES ?= 30
soak: rstat
	RSTAT_DISTURB=1 SOAK_MINUTES=$(SOAK_MINUTES) test/soak.t

# Every system call made to fail with every error: docs/faults.md, which RSTAT_FAULTS=write writes anew. A part of all tests.
faults: rstat $(build)/test/load $(build)/test/fault
	prove --timer -Itest/lib test/faults.t

# Instructions of each step of a sample, against test/cost/figures, which RSTAT_COST=write writes anew. A part of all tests.
cost: $(build)/test/cost/cost
	prove --verbose -Itest/lib test/cost

bench: rstat $(build)/test/burden
	test/bench/run
	test/bench/copies

# The pictures of README, anew: the bar as test/bars/sway.t sees it, with processes of its own; the live view.
pictures: rstat live-files
	RSTAT_PICTURE=1 prove -Itest/lib test/bars/sway.t
	RSTAT_PICTURES=docs/pictures prove -Itest/lib test/bars/picture.t

size: rstat
	@size -A $(build)/rstat.debug | grep -vE 'debug|comment'
	@nm --size-sort --reverse-sort -S $(build)/rstat.debug | head -40
	@ls -l rstat | awk '{ print "stripped:", $$5, "bytes" }'
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) || { echo "no release tag to compare with"; exit 0; }; \
		tree=$$(mktemp -d) && git archive $$tag | tar -x -C $$tree && $(MAKE) -s -C $$tree rstat && \
		ls -l $$tree/rstat | awk -v tag=$$tag '{ print tag ":", $$5, "bytes" }'; rm -rf $$tree

install: rstat
	install -D -m 755 rstat $(DESTDIR)$(PREFIX)/bin/rstat
	install -D -m 644 docs/rstat.1 $(DESTDIR)$(PREFIX)/share/man/man1/rstat.1
	install -D -m 644 docs/completions/rstat.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rstat
	install -D -m 644 docs/completions/_rstat $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rstat
	install -D -m 644 docs/completions/rstat.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rstat.fish

# From the table of options, after a change of it.
completions: rstat
	docs/completions/generate ./rstat docs/completions

# Needed once per install for users other than root.
install-caps: install
	setcap cap_bpf,cap_perfmon+ep $(DESTDIR)$(PREFIX)/bin/rstat

# A release, from the last commit: build/dist has the source, static binaries, packages, bill of materials and checksums.
dist:
	docs/packages/dist $(VERSION) $(build)/dist

clean:
	rm -rf $(build) rstat

-include $(shell find $(build) -name '*.d' 2>/dev/null)

.PHONY: all probe run unit fuzz fuzz-files fuzz-coverage fuzz-coverage-files coverage-files live live-files mutants faults model accuracy cost \
	test soak vm analyze check bench pictures size install install-caps completions dist clean FORCE
.DELETE_ON_ERROR:
