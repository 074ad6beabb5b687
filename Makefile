# sockwrench: make, make demo, make check, make bench, make install
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
TRACE  := $(filter-out trace/read.c,$(wildcard trace/*.c))
SHIM   := $(wildcard shim/*.c)
CLI    := $(wildcard cli/*.c) trace/read.c
PROGS  := $(patsubst tests/progs/%.c,$(B)/progs/%,$(wildcard tests/progs/*.c))
UNITS  := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
FUZZ   := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
EXAMPLES := $(patsubst %.c,$(B)/%,$(wildcard examples/*/*.c))

# The shim lives in other people's processes: no fortified calls of its own,
# only the table's names exported, thread-local storage without a call.
SHIMFLAGS = -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	    -U_FORTIFY_SOURCE -fno-stack-protector

.PHONY: all demo check bench fidelity install clean progs unit fuzz
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
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-z,now -o $@ $^

$(B)/sockwrench: $(patsubst %.c,$(B)/cli/%.o,$(CLI) $(TRACE) $(RULES))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^

# Programs under test are plain C, as a user would compile them.
progs: $(PROGS)
$(B)/progs/%: tests/progs/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O1 -g $(STD) -Wall -Wextra -o $@ $< -pthread

$(B)/examples/%: examples/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -O1 -g $(STD) -Wall -Wextra -o $@ $< -pthread

# Unit tests and fuzz targets: pure code, with the sanitizers.
SAN = -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
unit: $(UNITS)
$(B)/unit/%: tests/unit/%.c $(RULES) $(TRACE) trace/read.c $(wildcard trace/*.h rules/*.h rules/*.def)
	$(call say,UNIT,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $(STD) $(WARN) -o $@ $< $(RULES) $(TRACE) trace/read.c

fuzz: $(FUZZ)
$(B)/fuzz/%: tests/fuzz/%.c $(RULES) $(TRACE) trace/read.c $(wildcard trace/*.h rules/*.h rules/*.def)
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)clang $(SAN) -fsanitize=fuzzer $(STD) $(WARN) -o $@ $< $(RULES) $(TRACE) trace/read.c

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
