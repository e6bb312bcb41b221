# The fuzz programs once more, for tests/fuzz/coverage: make -C BUILD -f TREE/tests/fuzz/covered.mk PARSERS='FILE...'. In BUILD/covered, the
# PARSERS are compiled to count their lines, without sanitizers or optimising; all else is what BUILD has.
covered-programs:
include Makefile

# FILES: those of parsers in covered/.
covered = $(foreach o,$(1),$(if $(filter $(o:.$(OBJEXT)=.c),$(PARSERS)),covered/$(o),$(o)))
covered_libs = $(foreach l,$(1),$(if $(filter $(l),$(noinst_LIBRARIES)),covered/$(l),$(l)))
variable = $(subst .,_,$(subst /,_,$(1)))

covered-programs: $(addprefix covered/,$(fuzz_programs))

$(shell $(MKDIR_P) $(sort $(dir $(addprefix covered/,$(PARSERS) $(fuzz_programs)))))

covered/%.$(OBJEXT): %.c
	$(AM_V_CC)$(CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(filter-out $(SANITIZE),$(AM_CFLAGS)) -O0 --coverage -MMD -MP -c -o $@ $<

define library_rule
covered/$(1): $(call covered,$($(call variable,$(1))_OBJECTS))
	$$(AM_V_AR)rm -f $$@ && $$(AR) crT $$@ $$^
endef
$(foreach l,$(noinst_LIBRARIES),$(eval $(call library_rule,$(l))))

# Without what a debugger wants, which takes most of the time.
define program_rule
covered/$(1): $($(call variable,$(1))_OBJECTS) $(call covered_libs,$(filter $(noinst_LIBRARIES),$($(call variable,$(1))_LDADD)))
	$$(AM_V_CCLD)$$(CC) $$(AM_LDFLAGS) $$(LDFLAGS) --coverage -Wl,-S -o $$@ $($(call variable,$(1))_OBJECTS) \
		$(call covered_libs,$($(call variable,$(1))_LDADD))
endef
$(foreach p,$(fuzz_programs),$(eval $(call program_rule,$(p))))

-include $(PARSERS:%.c=covered/%.d)
