# sockwrench: make, make demo, make check, make fidelity, make bench, make install
# V=1 shows the commands; CC=clang builds with clang.

CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
VERSION  = 0.1
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
STD      = -std=gnu11 -D_GNU_SOURCE
B        = build

ifneq ($(V),1)
Q = @
say = @printf '  %-6s %s\n' $(1) $(2)
endif

RULES  := $(wildcard rules/*.c)
READ   := $(wildcard trace/read*.c)
TRACE  := $(filter-out $(READ),$(wildcard trace/*.c))
SHIM   := $(wildcard shim/*.c)
CLI    := $(wildcard cli/*.c audit/*.c) $(READ)
PROGS  := $(patsubst tests/progs/%.c,$(B)/progs/%,$(wildcard tests/progs/*.c))
UNITS  := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
DRIVERS := $(patsubst tests/drivers/%.c,$(B)/drivers/%,$(wildcard tests/drivers/*.c))
FUZZ   := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
EXAMPLES := $(patsubst %.c,$(B)/%,$(wildcard examples/*/*.c))

# The shim lives in other people's processes: no fortified calls of its own,
# only the table's names exported, thread-local storage without a call.
SHIMFLAGS = -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	    -U_FORTIFY_SOURCE -fno-stack-protector

.PHONY: all demo check fidelity bench install clean progs examples unit drivers fuzz
all: $(B)/libsockwrench.so $(B)/sockwrench

$(B)/shim/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(STD) $(WARN) $(SHIMFLAGS) -MMD -c -o $@ $<

$(B)/cli/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(STD) $(WARN) -DVERSION='"$(VERSION)"' -MMD -c -o $@ $<

$(B)/libsockwrench.so: $(patsubst %.c,$(B)/shim/%.o,$(SHIM) $(TRACE) $(RULES))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-z,now -o $@.new $^ && mv $@.new $@

$(B)/sockwrench: $(patsubst %.c,$(B)/cli/%.o,$(CLI) $(TRACE) $(RULES))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@.new $^ && mv $@.new $@

# Programs under test are plain C, as a user would compile them.
progs: $(PROGS)
$(B)/progs/%: tests/progs/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O1 -g $(STD) -Wall -Wextra -o $@ $< -pthread

examples: $(EXAMPLES)
$(B)/examples/%: examples/%.c examples/good.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O1 -g $(STD) -Wall -Wextra -o $@ $< -pthread

# What happens in each example, as it is in examples/*/transcript*.txt.
.PHONY: transcripts
transcripts: all examples
	@examples/transcript.sh

# Unit tests and fuzz targets: pure code, with the sanitizers.
SAN = -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
unit: $(UNITS)
$(B)/unit/%: tests/unit/%.c $(wildcard cli/*.[ch] audit/*.[ch] shim/*.[ch]) $(RULES) $(TRACE) $(READ) $(wildcard trace/*.h rules/*.h rules/*.def)
	$(call say,UNIT,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $(STD) $(WARN) -o $@ $< $(RULES) $(TRACE) $(READ)

# Programs that drive a part of the command for a bats file.
TRIAL = $(patsubst %,audit/%.c,trial part tree bell netns)
drivers: $(DRIVERS)
$(B)/drivers/%: tests/drivers/%.c $(TRIAL) $(RULES) $(wildcard audit/*.h trace/*.h rules/*.h rules/*.def)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $(STD) $(WARN) -o $@ $< $(TRIAL) $(RULES)

fuzz: $(FUZZ)
$(B)/fuzz/read: SHOW = $(addprefix cli/,conns.c signs.c states.c summary.c) \
	$(addprefix audit/,finding.c lint.c stages.c closes.c descs.c leaks.c wrong.c print.c)
$(B)/fuzz/%: tests/fuzz/%.c $(wildcard cli/*.[ch] audit/*.[ch]) $(RULES) $(TRACE) $(READ) $(wildcard trace/*.h rules/*.h rules/*.def audit/*.def)
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)clang $(SAN) -fsanitize=fuzzer $(STD) $(WARN) -o $@ $< $(SHOW) $(RULES) $(TRACE) $(READ)

# Pages made from the tables are kept in the tree, so that it can be read
# without a compiler; make check compares.
.PHONY: docs
docs: $(B)/tables
	$(Q)docs/make.sh $(CURDIR)/$(B)/tables $(CURDIR)/docs
$(B)/tables: docs/tables.c $(RULES) audit/finding.c audit/finding.h $(wildcard rules/*.h rules/*.def cli/*.def audit/*.def)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(STD) $(WARN) -o $@ docs/tables.c audit/finding.c $(RULES)

# Pages that are made by running what they show.
.PHONY: pages
pages: all examples
	$(Q)docs/checks.sh $(B) >$(B)/checks.md && mv $(B)/checks.md docs/
	$(Q)for page in tutorial.md states.md; do \
		docs/session.sh $$page $(B) >$(B)/$$page && \
		mv $(B)/$$page docs/ || exit; \
	done

install: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib \
		$(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man7 \
		$(DESTDIR)$(PREFIX)/share/sockwrench/presets
	$(Q)install -m 755 $(B)/sockwrench $(DESTDIR)$(PREFIX)/bin/
	$(Q)install -m 644 $(B)/libsockwrench.so $(DESTDIR)$(PREFIX)/lib/
	$(Q)install -m 644 docs/sockwrench.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	$(Q)install -m 644 docs/libsockwrench.so.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	$(Q)install -m 644 rules/presets/*.rules $(DESTDIR)$(PREFIX)/share/sockwrench/presets/

demo:
	@tests/need.sh examples/packages.txt
	@$(MAKE) -s -j$$(nproc) all $(addprefix $(B)/examples/,echo/server echo/client echo/client_good peer/peer)
	@examples/demo.sh

check:
	@tests/need.sh tests/packages.txt
	@tests/check.sh

# Each fault beside the kernel's own: what a program sees of both.
fidelity: all $(B)/progs/fidelity
	@tests/fidelity.sh
$(B)/progs/faults: $(wildcard tests/progs/faults/*.h)
$(B)/progs/lint: $(wildcard tests/progs/lint/*.h)
$(B)/progs/gates: $(wildcard tests/progs/gates/*.h tests/progs/fidelity/*.h)
$(B)/progs/fidelity: $(wildcard tests/progs/fidelity/*.h rules/*.def)

bench: all $(patsubst bench/%.c,$(B)/bench/%,$(wildcard bench/*.c))
	@bench/run.sh
$(B)/bench/%: bench/%.c bench/bench.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 $(STD) $(WARN) -o $@ $< -pthread
$(B)/bench/table: bench/table.c shim/fd.c trace/conn.c trace/out.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 $(STD) $(WARN) -o $@ $< trace/conn.c trace/out.c

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
