# Kernbus. The only makefile (GNU make; gmake on NetBSD). `make help` lists the
# targets. A folder named below is one program or one archive: a new .c file in
# it needs no change here. In a program's folder main.c holds main() and the
# rest is an archive, so that the unit tests link what the program runs.

CC     ?= cc
V      ?= 0
SAN    ?= 0
T      ?= 60
KEEP   ?= 0
FUZZ   ?= 0

# One build tree per compiler and variant; nothing is written outside build/.
ccname  := $(notdir $(firstword $(CC)))
B       := build/$(ccname)$(if $(filter 1,$(SAN)),-san)$(if $(filter 1,$(FUZZ)),-fuzz)

PKG_CONFIG ?= pkg-config
have_pkg = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)
pkg_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pkg_libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes \
           -Wstrict-prototypes -Werror
OPT     := -O2 -g
STD     := -std=c11 -D_GNU_SOURCE
INC     := -Ihv-core/include -Ihv-core/lib/include -Ilibxenstore -I.
ifeq ($(SAN),1)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer
OPT     := -O1 -g
endif
# Instrumented for libFuzzer, which only clang has.
ifeq ($(FUZZ),1)
SANFLAGS := -fsanitize=fuzzer-no-link,address,undefined \
            -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPT     := -O1 -g
# Each comparison there is one of a loop over all possible domains.
$(B)/xenstored/check.o $(B)/xenstored/principal.o: \
    OBJ_CFLAGS = -fno-sanitize-coverage=trace-cmp
endif
BASE    := $(STD) $(OPT) $(WARN) -fPIC -fvisibility=hidden -MMD -MP
CFLAGS_ALL  = $(BASE) $(SANFLAGS) $(INC) $(CPPFLAGS) $(CFLAGS)
RPATH = $$ORIGIN/../lib
LDFLAGS_ALL = $(SANFLAGS) -pthread -Wl,-z,now -Wl,-z,relro \
              -Wl,-rpath,'$(RPATH)' -L$(B)/lib $(LDFLAGS)

q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# ---------------------------------------------------------------- archives --
# objs DIR...: the objects of the .c files of some folders, main.c excepted.
objs = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(1)))))

ARCH_core        := hv-core/core
ARCH_sim         := hv-core/sim
ARCH_hosted      := hv-core/hosted
ARCH_spawn       := hv-core/hosted/spawn
ARCH_boot        := hv-core/hosted/boot
ARCH_kernfs      := hv-core/hosted/kernfs
ARCH_hvclient    := hv-core/lib/hosted
ARCH_hvlib       := hv-core/lib/evtchn hv-core/lib/gnttab \
                    hv-core/lib/foreignmemory hv-core/lib/call \
                    hv-core/lib/manage hv-core/lib/common hv-core/lib/hosted
ARCH_guest       := hv-core/guest
ARCH_dom0        := hv-core/dom0
ARCH_xscommon    := libxenstore/common
ARCH_xenstore    := libxenstore libxenstore/common
ARCH_xenstored   := xenstored
ARCH_tools       := tools/common
ARCH_xl          := tools/xl
ARCH_xs          := tools/xs
ARCH_xscontrol   := tools/xscontrol
ARCH_xenconsoled := tools/xenconsoled
ARCH_xenconsole  := tools/xenconsole
ARCH_xenbackendd := tools/xenbackendd
ARCH_history     := tools/history
ARCH_xenhistoryd := tools/xenhistoryd
ARCH_xshist      := tools/xshist
ARCH_xenmetricsd := tools/xenmetricsd
ARCHIVES := core sim hosted spawn boot kernfs hvclient hvlib guest dom0 \
            xscommon xenstore xenstored tools xl xs xscontrol xenconsoled xenconsole \
            xenbackendd history xenhistoryd xshist \
            xenmetricsd

define archive_rule
$(B)/lib$(1).a: $$(call objs,$$(ARCH_$(1)))
	$$(call say,AR,$$@)
	$$(q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach a,$(ARCHIVES),$(eval $(call archive_rule,$(a))))

# Of the file server, what knows neither rings nor lwIP.
$(B)/libfileserver.a: $(patsubst %,$(B)/hv-core/guest/kernels/fileserver/%.o,http_parse page fs fs_write)
	$(call say,AR,$@)
	$(q)rm -f $@ && ar rcs $@ $^

# Its cache, over the test's disk.
$(B)/libfsdisk.a: $(B)/hv-core/guest/kernels/fileserver/disk.o
	$(call say,AR,$@)
	$(q)rm -f $@ && ar rcs $@ $^
$(B)/hv-core/guest/kernels/fileserver/disk.o: OBJ_CFLAGS = -Ihv-core/guest

# The history's schema as C strings, one a line.
$(B)/gen/history_sql.h: schema/history.sql
	$(call say,GEN,$@)
	$(q)mkdir -p $(@D) && { echo 'static const char *const history_sql[] = {'; \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n",/' $<; echo '};'; } >$@
$(B)/tools/history/schema.o: $(B)/gen/history_sql.h
$(B)/tools/history/schema.o: OBJ_CFLAGS = -I$(B)/gen

# The core knows no libc: it must compile without one.
$(B)/hv-core/core/%.o: BASE += -ffreestanding -fno-stack-protector

EVENT_LIBS  = $(call pkg_libs,libevent_core)
TALLOC_LIBS = $(call pkg_libs,talloc) $(call pkg_libs,tdb)
SECCOMP_LIBS = $(call pkg_libs,libseccomp)
SQLITE_LIBS = $(call pkg_libs,sqlite3)

# ---------------------------------------------------------- shared libraries --
SOLIBS := $(B)/lib/libxenstore.so.4 $(B)/lib/libxenevtchn.so.1 \
          $(B)/lib/libxengnttab.so.1 $(B)/lib/libxenforeignmemory.so.1 \
          $(B)/lib/libxencall.so.1 $(B)/lib/libxenmanage.so.1

# solib NAME SOVERSION DIRS MAP LIBS
define solib_rule
$(B)/lib/lib$(1).so.$(2): $$(call objs,$(3)) $(4)
	$$(call say,LD,$$@)
	$$(q)mkdir -p $$(@D) && $$(CC) -shared -Wl,-soname,lib$(1).so.$(2) \
	    -Wl,--version-script,$(4) -Wl,-z,defs -o $$@ \
	    $$(filter %.o,$$^) $$(if $$(SANFLAGS),$$(SANFLAGS)) -pthread $(5)
	$$(q)ln -sf lib$(1).so.$(2) $(B)/lib/lib$(1).so
endef
ifeq ($(SAN),1)
solib_defs :=
endif
$(eval $(call solib_rule,xenstore,4,libxenstore libxenstore/common,libxenstore/libxenstore.map,))
# libxenmanage makes hypercalls through its own, hidden copy of libxencall.
hvlib_dirs = hv-core/lib/$(1) hv-core/lib/common hv-core/lib/hosted $(if $(filter manage,$(1)),hv-core/lib/call)
$(foreach l,evtchn gnttab foreignmemory call manage,$(eval $(call solib_rule,xen$(l),1,$(call hvlib_dirs,$(l)),hv-core/lib/$(l)/libxen$(l).map,)))

# ---------------------------------------------------------------- programs --
# PROGS: name = folder of main.c; archives; other libraries.
PROGS := xenstored hvd hv-spawn hv-boot xl xenconsoled xenconsole \
         xenbackendd xenstore xenstore-control xenstore-history xenhistoryd xenmetricsd dom0
HAVE_FUSE := $(call have_pkg,fuse3)
ifeq ($(HAVE_FUSE),yes)
PROGS += hv-kernfs
endif

HV_LIBS := -lxenevtchn -lxengnttab -lxenforeignmemory -lxencall -lxenmanage
DIR_xenstored   := xenstored
AR_xenstored    := xenstored xscommon
LIBS_xenstored   = -lxenevtchn -lxengnttab -lxenmanage $(EVENT_LIBS) $(TALLOC_LIBS) $(SECCOMP_LIBS)
DIR_hvd         := hv-core/hosted
AR_hvd          := hosted core
LIBS_hvd         =
DIR_hv-spawn    := hv-core/hosted/spawn
AR_hv-spawn     := spawn
LIBS_hv-spawn    = $(call pkg_libs,libseccomp)
DIR_hv-boot     := hv-core/hosted/boot
AR_hv-boot      := boot hosted
LIBS_hv-boot     = $(call pkg_libs,zlib)
DIR_hv-kernfs   := hv-core/hosted/kernfs
AR_hv-kernfs    := kernfs
LIBS_hv-kernfs   = -lxenevtchn $(call pkg_libs,fuse3)
DIR_dom0        := hv-core/dom0
# Booted from a descriptor, it finds no library beside it: all is inside.
AR_dom0         := dom0 guest xscommon hvlib
LIBS_dom0        =
DIR_xl          := tools/xl
AR_xl           := xl tools
LIBS_xl          = -lxenstore $(HV_LIBS) $(call pkg_libs,zlib)
DIR_xenstore    := tools/xs
AR_xenstore     := xs
LIBS_xenstore    = -lxenstore
DIR_xenstore-control := tools/xscontrol
AR_xenstore-control := xscontrol
LIBS_xenstore-control = -lxenstore $(call pkg_libs,zlib)
DIR_xenconsoled := tools/xenconsoled
AR_xenconsoled  := xenconsoled tools
LIBS_xenconsoled = -lxenstore $(HV_LIBS) $(EVENT_LIBS)
DIR_xenconsole  := tools/xenconsole
AR_xenconsole   := xenconsole tools
LIBS_xenconsole  = -lxenstore $(EVENT_LIBS)
DIR_xenbackendd := tools/xenbackendd
AR_xenbackendd  := xenbackendd tools
LIBS_xenbackendd = -lxenstore $(EVENT_LIBS)

DIR_xenhistoryd := tools/xenhistoryd
AR_xenhistoryd  := xenhistoryd history tools xenstored xscommon
LIBS_xenhistoryd = $(SQLITE_LIBS) $(TALLOC_LIBS)
DIR_xenmetricsd := tools/xenmetricsd
AR_xenmetricsd  := xenmetricsd tools xenstored xscommon
LIBS_xenmetricsd = $(EVENT_LIBS) $(call pkg_libs,libevent_extra) $(TALLOC_LIBS)
DIR_xenstore-history := tools/xshist
AR_xenstore-history := xshist history xs tools
LIBS_xenstore-history = -lxenstore $(SQLITE_LIBS)

define prog_rule
$(B)/bin/$(1) $(B)/inst/$(1): $(B)/$(DIR_$(1))/main.o $(foreach a,$(AR_$(1)),$(B)/lib$(a).a) | $(SOLIBS)
	$$(call say,LD,$$@)
	$$(q)mkdir -p $$(@D) && $$(CC) -o $$@ $$(filter %.o,$$^) \
	    -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	    $$(LDFLAGS_ALL) $$(LIBS_$(1))
endef
# The store daemon does so little for a request that calls from file to file are
# a part of it: gcc optimises it as a whole (LTO=0: not). Tests link the archive.
is_gcc := $(if $(findstring __clang__,$(shell $(CC) -dM -E -x c /dev/null 2>/dev/null)),,1)
LTO ?= 1
whole := $(if $(filter 1,$(SAN) $(FUZZ)),,$(and $(is_gcc),$(filter 1,$(LTO)),xenstored))
$(foreach p,$(filter-out $(whole),$(PROGS)),$(eval $(call prog_rule,$(p))))
ifneq ($(whole),)
$(B)/lto/%.o: %.c
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -flto -c -o $@ $<
$(B)/bin/xenstored $(B)/inst/xenstored: $(patsubst $(B)/%,$(B)/lto/%,$(B)/xenstored/main.o $(call objs,$(ARCH_xenstored) $(ARCH_xscommon))) | $(SOLIBS)
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -flto=2 -o $@ $(filter %.o,$^) $(LDFLAGS_ALL) $(LIBS_xenstored)
endif

XS_MODES := chmod exists list ls read rm watch write
$(addprefix $(B)/bin/xenstore-,$(XS_MODES)): $(B)/bin/xenstore
	$(q)ln -sf xenstore $@
HIST_MODES := blame diff log why
$(addprefix $(B)/bin/xenstore-,$(HIST_MODES)): $(B)/bin/xenstore-history
	$(q)ln -sf xenstore-history $@

# ------------------------------------------------------------ guest kernels --
# A guest kernel is a static executable with Xen ELF notes, gzipped. Each folder
# of hv-core/guest/kernels is one; each file of kernels/test is one. Guests are
# not built with sanitizers: their sandbox has no room for them.
GB      := build/guest
GCFLAGS  = $(STD) -O2 -g $(WARN) -fno-pie -ffunction-sections -fdata-sections \
           -MMD -MP $(INC) -Ihv-core/guest $(CPPFLAGS)
GDIRS   := $(filter-out test,$(notdir $(patsubst %/,%,$(wildcard hv-core/guest/kernels/*/))))
GTESTS  := $(basename $(notdir $(wildcard hv-core/guest/kernels/test/*.c)))
GUESTS  := $(addprefix $(GB)/,$(addsuffix .gz,$(GDIRS) $(GTESTS)))
GLIBS_fileserver = $(GB)/liblwip.a -l:libext2fs.a -l:libcom_err.a
GINC_fileserver  = -Ihv-core/guest/kernels/fileserver -isystem $(LWIP)/src/include

GUEST_OBJS := $(patsubst %.c,$(GB)/%.o,$(wildcard hv-core/guest/*.c hv-core/lib/hosted/*.c libxenstore/common/*.c))
$(GB)/libguest.a: $(GUEST_OBJS)
	$(call say,AR,$@)
	$(q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

define kernel_rule
$(GB)/$(1): $(patsubst %.c,$(GB)/%.o,$(2)) $(GB)/libguest.a $(filter $(GB)/%.a,$(GLIBS_$(1)))
	$$(call say,LD,$$@)
	$$(q)$$(CC) -static -Wl,--gc-sections -o $$@ $$(filter %.o,$$^) \
	    -Wl,--whole-archive $(GB)/libguest.a -Wl,--no-whole-archive $(GLIBS_$(1))
endef
$(foreach g,$(GDIRS),$(eval $(call kernel_rule,$(g),$(wildcard hv-core/guest/kernels/$(g)/*.c))))
$(foreach g,$(GTESTS),$(eval $(call kernel_rule,$(g),hv-core/guest/kernels/test/$(g).c)))

$(GB)/%.gz: $(GB)/%
	$(q)gzip -9nc $< > $@

$(GB)/%.o: %.c
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) $(GCFLAGS) $(GINC_$(word 4,$(subst /, ,$*))) -c -o $@ $<

# lwIP comes as Debian's source package, since Debian ships no static library.
LWIP := build/deps/lwip
LWIP_SRC = $(shell sed -n 's/^[^\#]*\(src[^ ]*\.c\)$$/\1/p' hv-core/guest/kernels/fileserver/lwip.files 2>/dev/null)
$(LWIP)/.fetched: tests/support/fetch-lwip
	$(call say,FETCH,lwip)
	$(q)sh tests/support/fetch-lwip $(LWIP) && touch $@
$(patsubst %.c,$(GB)/lwip/%.o,$(LWIP_SRC)): $(GB)/lwip/%.o: $(LWIP)/.fetched
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) -std=gnu11 -O2 -g -w -fno-pie -ffunction-sections \
	    -fdata-sections $(GINC_fileserver) -c -o $@ $(LWIP)/$*.c
$(GB)/liblwip.a: $(patsubst %.c,$(GB)/lwip/%.o,$(LWIP_SRC))
	$(q)rm -f $@ && ar rcs $@ $^
$(patsubst %.c,$(GB)/%.o,$(wildcard hv-core/guest/kernels/fileserver/*.c)): | $(LWIP)/.fetched

# ----------------------------------------------------------------- compiling --
$(B)/%.o: %.c
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) $(OBJ_CFLAGS) -c -o $@ $<
$(B)/hv-core/hosted/kernfs/%.o: OBJ_CFLAGS = $(call pkg_cflags,fuse3)
$(B)/tests/unit/core/test_abi.src/abi_debian.o: OBJ_CFLAGS = -std=gnu11
-include $(shell find build -path build/xen-lab -prune -o -name '*.d' -print 2>/dev/null)

# ------------------------------------------------------------------- targets --
.PHONY: all help deps clean guests demo check check-unit check-model \
        check-diff check-security security-table check-lint check-san check-san-system check-integration check-strict check-xen check-fuzz bench bench-profile crash \
        fuzz fuzzers install

all: $(SOLIBS) $(addprefix $(B)/bin/,$(PROGS)) \
     $(addprefix $(B)/bin/xenstore-,$(XS_MODES) $(HIST_MODES)) $(B)/bin/xm guests ## build everything

$(B)/bin/xm: $(B)/bin/xl
	$(q)ln -sf xl $@

guests: $(GUESTS) ## the kernels of guests, in build/guest

help: ## this list
	@awk '{ while (sub(/\\$$/, "")) { getline rest; $$0 = $$0 rest } } \
	    /^[a-z-]+:.*## / { t = $$0; sub(/:.*/, "", t); sub(/.*## /, ""); printf "  %-18s %s\n", t, $$0 }' Makefile

deps: ## install what is missing (asks apt-get when root, else prints the command)
	@sh tests/support/deps

clean: ## remove build/
	rm -rf build

# ---------------------------------------------------------------- installing --
# DESTDIR goes before every path and is nowhere recorded. What looks for helpers
# beside itself (xl, hv-boot, hvd) lies in LIBEXECDIR; in bin and sbin are links.
DESTDIR    ?=
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
LIBEXECDIR ?= $(PREFIX)/libexec/kernbus
DATADIR    ?= $(PREFIX)/share/kernbus
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
SYSCONFDIR ?= /etc
INSTALL    ?= install

INST_bin     := xenstore xenstore-control xenstore-history
INST_sbin    := xenstored xenhistoryd xenmetricsd xenconsoled xenbackendd
INST_libexec := xl xenconsole hvd hv-boot hv-spawn $(filter hv-kernfs,$(PROGS))
INST_guests  := $(GDIRS) idle
INST_headers := $(addprefix libxenstore/,xenstore.h xenstore_async.h xenstore_lib.h xs.h xs_lib.h) $(wildcard hv-core/lib/include/*.h)
INST_scripts := $(filter-out %.sh,$(wildcard tools/hotplug/*))
INST_sourced := $(filter-out %/hotplugpath.sh,$(wildcard tools/hotplug/*.sh))

# The way from folder 1 to folder 2; without GNU realpath the second itself.
way = $(shell realpath -m --relative-to='$(1)' '$(2)' 2>/dev/null || echo '$(2)')
# What stands before a library path in a program of folder 1.
runpath = $(patsubst ..%,$$ORIGIN/..%,$(call way,$(1),$(LIBDIR)))
inst = $(addprefix $(B)/inst/,$(INST_$(1)))
$(call inst,bin): RPATH = $(call runpath,$(BINDIR))
$(call inst,sbin): RPATH = $(call runpath,$(SBINDIR))
$(call inst,libexec): RPATH = $(call runpath,$(LIBEXECDIR))

# What was built for other folders is built again. (A rule would not do: a file
# that is missing is no reason to make anything here, see .SECONDARY.)
folders := $(SYSCONFDIR) $(BINDIR) $(SBINDIR) $(LIBEXECDIR) $(LIBDIR)
$(shell mkdir -p $(B); echo '$(folders)' | cmp -s - $(B)/folders || echo '$(folders)' >$(B)/folders)
$(B)/tools/common/paths.o $(foreach i,bin sbin libexec,$(call inst,$(i))): $(B)/folders
$(B)/tools/common/paths.o: OBJ_CFLAGS = -DXEN_CONFIG_DIR='"$(SYSCONFDIR)/xen"'

# put MODE DIR FILE...
put = $(q)$(INSTALL) -d -m 755 '$(DESTDIR)$(2)' && $(INSTALL) -m $(1) $(3) '$(DESTDIR)$(2)'
# links FROM-DIR TO-DIR NAME...
links = $(q)for n in $(3); do ln -sf "$(call way,$(1),$(2))/$$n" '$(DESTDIR)$(1)/'; done
# edited MODE FILE DIR SED-ARGUMENTS
edited = $(q)$(INSTALL) -d -m 755 '$(DESTDIR)$(3)' && sed $(4) $(2) >'$(DESTDIR)$(3)/$(notdir $(2))' && \
	chmod $(1) '$(DESTDIR)$(3)/$(notdir $(2))'

install: $(SOLIBS) $(call inst,bin) $(call inst,sbin) $(call inst,libexec) \
         $(B)/bin/hvd $(B)/bin/dom0 $(patsubst %,$(GB)/%.gz,$(INST_guests)) ## into DESTDIR/PREFIX (/usr/local) and SYSCONFDIR (/etc)
	$(call put,755,$(BINDIR),$(call inst,bin))
	$(call put,755,$(SBINDIR),$(call inst,sbin))
	$(call put,755,$(LIBEXECDIR),$(call inst,libexec))
	$(call links,$(BINDIR),$(LIBEXECDIR),xl)
	$(call links,$(SBINDIR),$(LIBEXECDIR),hvd hv-boot)
	$(q)ln -sf xl '$(DESTDIR)$(BINDIR)/xm'
	$(q)for m in $(XS_MODES); do ln -sf xenstore '$(DESTDIR)$(BINDIR)'/xenstore-$$m; done
	$(q)for m in $(HIST_MODES); do ln -sf xenstore-history '$(DESTDIR)$(BINDIR)'/xenstore-$$m; done
	$(call put,755,$(LIBDIR),$(SOLIBS))
	$(q)for l in $(notdir $(SOLIBS)); do ln -sf $$l '$(DESTDIR)$(LIBDIR)'/$${l%.*}; done
	$(call put,644,$(INCLUDEDIR),$(INST_headers))
	$(call edited,644,libxenstore/xenstore.pc,$(LIBDIR)/pkgconfig,-e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|')
	$(q)for s in 1 5 8; do $(INSTALL) -d -m 755 '$(DESTDIR)$(MANDIR)'/man$$s && \
	    cp -RP man/*.$$s '$(DESTDIR)$(MANDIR)'/man$$s; done
	$(q)ln -sf xl.1 '$(DESTDIR)$(MANDIR)'/man1/xm.1
	$(call put,644,$(ZSHCOMPDIR),tools/completion/_xenstore)
	$(call put,644,$(BASHCOMPDIR),tools/completion/xenstore.bash)
	$(q)mv '$(DESTDIR)$(BASHCOMPDIR)'/xenstore.bash '$(DESTDIR)$(BASHCOMPDIR)'/xenstore
	$(q)for m in control history log blame why diff $(XS_MODES); do \
	    ln -sf xenstore '$(DESTDIR)$(BASHCOMPDIR)'/xenstore-$$m; done
	$(call put,755,$(SYSCONFDIR)/xen/scripts,$(INST_scripts))
	$(call put,644,$(SYSCONFDIR)/xen/scripts,$(INST_sourced))
	$(call edited,644,tools/hotplug/hotplugpath.sh,$(SYSCONFDIR)/xen/scripts,-e 's|:=/etc/xen}|:=$(SYSCONFDIR)/xen}|' -e '$$a\' -e 'PATH=$(SBINDIR):$(BINDIR):$$PATH')
	$(call edited,755,rc.d/xencommons,$(SYSCONFDIR)/rc.d,$(RC_EDIT))
	$(call edited,755,rc.d/xenbackendd,$(SYSCONFDIR)/rc.d,$(RC_EDIT))
	$(call edited,755,rc.d/xendomains,$(SYSCONFDIR)/rc.d,$(RC_EDIT))
	$(call edited,644,rc.d/common.subr,$(LIBEXECDIR),-e 's|:-/etc/xen}/scripts|:-$(SYSCONFDIR)/xen}/scripts|')
	$(call put,644,$(LIBEXECDIR),rc.d/rc.subr)
	$(call put,644,$(DATADIR),$(patsubst %,$(GB)/%.gz,$(INST_guests)))
	$(q)gzip -9nc $(B)/bin/hvd >'$(DESTDIR)$(DATADIR)/xen.gz'
	$(q)gzip -9nc $(B)/bin/dom0 >'$(DESTDIR)$(DATADIR)/netbsd-XEN3_DOM0.gz'
	$(q)echo 'menu=Xen:load /netbsd-XEN3_DOM0.gz console=pc;multiboot /xen.gz dom0_mem=256M' >'$(DESTDIR)$(DATADIR)/boot.cfg'

# rc.d's scripts share what must not lie in rc.d, where everything is a service.
RC_EDIT = -e 's|/etc/rc.d /usr/pkg/share/examples/rc.d|$(LIBEXECDIR)|'

# Tests. tests/unit/GROUP/test_*.c is linked with the archives of its group.
UNIT_core      := sim core
UNIT_hosted    := hosted core hvclient
UNIT_spawn     := spawn
UNIT_boot      := boot
UNIT_lib       := hvlib
UNIT_kernfs    := kernfs hvlib
ULIBS_kernfs   = $(call pkg_libs,fuse3)
UNIT_guest     := guest xscommon
UNIT_fileserver := fileserver fsdisk
UNIT_dom0      := dom0 guest xscommon hvlib
UNIT_common    := xscommon
UNIT_xenstored := xenstored xscommon
UNIT_xenstore  := xenstore
UNIT_tools     := tools
UNIT_xl        := xl tools
UNIT_xenbackendd := xenbackendd tools
UNIT_xenconsoled := xenconsoled tools
UNIT_xenconsole := xenconsole tools
UNIT_xs        := xs
UNIT_xscontrol := xscontrol xenstore
ULIBS_xscontrol = $(call pkg_libs,zlib)
UNIT_history   := history tools
UNIT_xenhistoryd := xenhistoryd history tools xenstored xscommon
UNIT_xenmetricsd := xenmetricsd tools xenstored xscommon
UNIT_xshist    := xshist history xs tools
ULIBS_fileserver = -lext2fs -lcom_err
ULIBS_boot     = $(call pkg_libs,zlib)
ULIBS_spawn    = $(call pkg_libs,libseccomp)
ULIBS_xl       = $(LIBS_xl)
ULIBS_xenstored = $(LIBS_xenstored)
ULIBS_dom0     = $(LIBS_dom0)
ULIBS_xenbackendd = $(LIBS_xenbackendd)
ULIBS_xenconsoled = $(LIBS_xenconsoled)
ULIBS_xenconsole = $(LIBS_xenconsole)
ULIBS_xs       = $(LIBS_xenstore)
ULIBS_history  = $(SQLITE_LIBS)
ULIBS_xenhistoryd = $(LIBS_xenhistoryd)
ULIBS_xenmetricsd = $(LIBS_xenmetricsd)
ULIBS_xshist   = $(LIBS_xenstore-history)
ULIBS_tools    = -lxenstore $(HV_LIBS)
UNITS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/test_*.c))
MODELS := $(patsubst %.c,$(B)/%,$(wildcard tests/model/*/model_*.c))
BENCHES := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*/bench_*.c))
UNIT_benchhv := hvlib
UNIT_benchdur := xl tools xscommon
ULIBS_benchdur = $(LIBS_xl)
UNIT_benchguest := $(UNIT_benchdur)
ULIBS_benchguest = $(LIBS_xl)
UNIT_benchring := $(UNIT_xenstored)
ULIBS_benchring = $(LIBS_xenstored)
UNIT_benchturn := $(UNIT_xenstored)
ULIBS_benchturn = $(LIBS_xenstored)

# Further sources of a test lie in test_NAME.src/.
define test_rule
$(1): $(1).o $(patsubst %.c,$(B)/%.o,$(wildcard $(patsubst $(B)/%,%,$(1)).src/*.c)) $(foreach a,$(UNIT_$(notdir $(patsubst %/,%,$(dir $(1))))),$(B)/lib$(a).a) | $(SOLIBS)
	$$(call say,LD,$$@)
	$$(q)$$(CC) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	    -Wl,--end-group -Wl,-rpath,$(abspath $(B)/lib) $$(LDFLAGS_ALL) \
	    $$(ULIBS_$(notdir $(patsubst %/,%,$(dir $(1))))) $$(call pkg_libs,cmocka)
endef
$(foreach t,$(UNITS) $(MODELS) $(BENCHES),$(eval $(call test_rule,$(t))))

# Asks the store while its processes are killed; and the daemon that kills itself
# at a place that the environment says (crash_point.h).
CRASHERS := $(B)/tests/crash/takeover $(B)/tests/crash/rings $(B)/tests/crash/twice $(B)/tests/crash/scribble $(B)/tests/crash/abort_preload.so \
            $(B)/tests/crash/points $(B)/tests/crash/domains $(B)/tests/crash/checkpoints $(B)/tests/crash/differ $(B)/tests/crash/crowd \
            $(B)/tests/crash/xenstored-crash
CRASH_OBJS := $(patsubst %.c,$(B)/crash/%.o,$(wildcard xenstored/*.c))
$(B)/crash/%.o: %.c
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -DXENSTORED_CRASH_POINTS -c -o $@ $<
$(B)/tests/crash/xenstored-crash: $(CRASH_OBJS) $(B)/libxscommon.a | $(SOLIBS)
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) -o $@ $^ -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) $(LIBS_xenstored)
# Daemons of tomorrow, for the one of today (next.h).
NEXT_OBJS := $(patsubst %,$(B)/next/xenstored/%.o,apply image_in image_out worker)
LATER_OBJS := $(patsubst %,$(B)/later/xenstored/%.o,left log subscribe sup_store update_program)
NEXT := $(B)/tests/update/xenstored-next $(B)/tests/update/xenstored-later
$(B)/next/%.o: %.c
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -DXENSTORED_NEXT -c -o $@ $<
$(B)/later/%.o: %.c
	$(call say,CC,$@)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -DLOG_LATER=1 -c -o $@ $<
$(B)/tests/update/xenstored-next: $(NEXT_OBJS)
$(B)/tests/update/xenstored-later: $(LATER_OBJS)
$(NEXT): $(B)/xenstored/main.o $(B)/libxenstored.a $(B)/libxscommon.a | $(SOLIBS)
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) $(LIBS_xenstored)
$(B)/tests/crash/%.so: tests/crash/%.c
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(STD) -O2 $(WARN) -fPIC -shared -o $@ $<
BOOKS := $(addprefix $(B)/tests/crash/,books.o books_ring.o kills.o)
$(B)/tests/crash/takeover: $(BOOKS)
$(B)/tests/crash/points $(B)/tests/crash/checkpoints $(B)/tests/crash/differ $(B)/tests/crash/crowd $(B)/tests/crash/scribble: $(B)/tests/crash/asker.o $(B)/libxenstored.a
$(B)/tests/crash/differ $(B)/tests/crash/crowd $(B)/tests/crash/scribble: $(B)/tests/crash/wrong.o
$(B)/tests/crash/takeover $(B)/tests/crash/twice $(B)/tests/crash/scribble $(B)/tests/crash/points $(B)/tests/crash/checkpoints $(B)/tests/crash/differ $(B)/tests/crash/crowd: %: %.o
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $^ $(LDFLAGS_ALL) $(CRASH_LIBS)
$(B)/tests/crash/checkpoints: $(B)/libxscommon.a
$(B)/tests/crash/checkpoints: CRASH_LIBS = $(TALLOC_LIBS)
$(B)/tests/crash/rings: $(BOOKS)
$(B)/tests/crash/domains: $(addprefix $(B)/tests/crash/,asker.o books_ring.o) $(B)/libxenstored.a
$(B)/tests/crash/rings $(B)/tests/crash/domains: %: %.o $(B)/tests/diff/guest.o $(B)/libxl.a $(B)/libtools.a $(B)/libxscommon.a | $(SOLIBS)
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
	    -Wl,--end-group -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) $(LIBS_xl)

# The differential tester of store daemons builds domains as xl does.
$(B)/tests/diff/diff: $(patsubst %.c,$(B)/%.o,$(filter-out %_preload.c,$(wildcard tests/diff/*.c))) $(B)/libxl.a $(B)/libtools.a $(B)/libxscommon.a | $(SOLIBS)
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
	    -Wl,--end-group -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) $(LIBS_xl)
$(B)/tests/security/security: $(patsubst %.c,$(B)/%.o,$(wildcard tests/security/*.c) $(addprefix tests/diff/,target.c world.c guest.c step.c)) $(B)/libxl.a $(B)/libtools.a $(B)/libxscommon.a | $(SOLIBS)
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
	    -Wl,--end-group -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) $(LIBS_xl)
$(B)/tests/diff/%.so: tests/diff/%.c
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(STD) -O2 $(WARN) -fPIC -shared -o $@ $<

# NetBSD's kernel as far as a preloaded object can play it, on hvd.
NETBSD_NODES := $(B)/tests/netbsd/nodes_preload.so
$(NETBSD_NODES): $(B)/tests/netbsd/nodes_preload.o $(B)/libhvlib.a | $(B)/tests/unit/lib/test_netbsd_nodes
	$(call say,LD,$@)
	$(q)$(CC) -shared -o $@ $< -Wl,--exclude-libs,ALL $(B)/libhvlib.a \
	    $(SANFLAGS) -pthread

# A program that tries to leave the guests' sandbox, static as a guest is.
$(B)/tests/unit/spawn/probe: tests/unit/spawn/probe.c tests/unit/spawn/probe.h
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(STD) -O2 $(WARN) -static -o $@ $<
$(B)/tests/unit/spawn/test_sandbox $(B)/tests/unit/spawn/test_serve: | $(B)/tests/unit/spawn/probe

# These start what they test.
RUNS_HVD := $(filter $(B)/tests/unit/lib/% $(B)/tests/unit/kernfs/%,$(UNITS))
$(RUNS_HVD): | $(addprefix $(B)/bin/,hvd hv-spawn $(filter hv-kernfs,$(PROGS)))

# A program of domain 0 on the xenevt node, for tests/integration/xenevt.sh.
XENEVT_USER := $(B)/tests/unit/kernfs/xenevt_user
$(XENEVT_USER): $(XENEVT_USER).o | $(SOLIBS)
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $< -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) -lxenevtchn

# A user of the store, for tests/integration/reconnect.sh.
RESTART_USER := $(B)/tests/unit/xenstore/restart_user
$(RESTART_USER): $(RESTART_USER).o | $(SOLIBS)
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $< -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) -lxenstore

# The same for tests/integration/history.sh.
HISTORY_USER := $(B)/tests/unit/xenhistoryd/history_user
$(HISTORY_USER): $(HISTORY_USER).o | $(SOLIBS)
	$(call say,LD,$@)
	$(q)$(CC) -o $@ $< -Wl,-rpath,$(abspath $(B)/lib) $(LDFLAGS_ALL) -lxenstore

# What runs in a guest of Xen, in a root that has next to nothing.
$(B)/tests/xen/guest/%: tests/xen/guest/%.c
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(STD) -O2 $(WARN) $(INC) -static -o $@ $<

$(B)/tests/xen/%.so: tests/xen/%.c
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(STD) -O2 $(WARN) $(INC) -fPIC -shared -o $@ $<

# The guest of the tests of hvd, and what hvd needs to start it.
$(B)/tests/unit/hosted/guest: tests/unit/hosted/guest.c $(wildcard hv-core/lib/hosted/*.[ch])
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(STD) -O2 $(WARN) $(INC) -static -o $@ $(filter %.c,$^)
$(patsubst %.c,$(B)/%,$(wildcard tests/unit/hosted/test_*.c)): | $(B)/tests/unit/hosted/guest $(B)/bin/hv-spawn

check-unit: $(UNITS) ## unit tests (cmocka)
	@sh tests/support/run-tests $(UNITS)

check-model: $(MODELS) ## the core and the store against reference models
	@sh tests/support/run-tests $(MODELS)

check-lint: ## layers, headers alone, clang-format, shellcheck, man pages
	@sh tests/lint/run

check-integration: all $(CRASHERS) $(NEXT) $(B)/tests/unit/xenstored/test_priv $(HISTORY_USER) $(XENEVT_USER) $(RESTART_USER) $(NETBSD_NODES) ## the whole system, in its own namespaces
	@sh tests/integration/run $(B)

N ?= 2000
crash: all $(filter-out %-crash,$(CRASHERS)) ## kill the store's processes N times under load (N=2000)
	@KILLS=$$(($(N) * 2 / 5)) TEST_TIMEOUT=$$((600 + $(N))) sh tests/integration/run $(B) takeover
	@KILLS=$$(($(N) * 3 / 5)) TEST_TIMEOUT=$$((600 + $(N))) sh tests/integration/run $(B) takeover-rings

check-diff: all $(B)/tests/diff/diff $(B)/tests/diff/ox_preload.so ## our store daemon beside Debian's two
	@WORLD_GUESTS=$(abspath $(GB)) sh tests/diff/run $(B) $(DIFF)
	@WORLD_GUESTS=$(abspath $(GB)) sh tests/diff/run $(B) --limits
	@WORLD_GUESTS=$(abspath $(GB)) sh tests/diff/run $(B) --plant

# Each case of the security history that can be put to a running daemon.
check-security: all $(B)/tests/security/security ## the cases of the security history, by wire
	@WORLD_GUESTS=$(abspath $(GB)) sh tests/security/check $(B)

security-table: all $(B)/tests/security/security $(B)/tests/diff/ox_preload.so ## who passes them: ours and Debian's, into tests/security/TABLE.md
	@WORLD_GUESTS=$(abspath $(GB)) sh tests/security/table $(B) >tests/security/TABLE.new
	@mv tests/security/TABLE.new tests/security/TABLE.md

check-xen: ## real Xen with Linux guests, emulated (SCENARIO="pv pvh", STORE=debian)
	@[ "$$(id -u)" != 0 ] || sh tests/support/deps
	@$(MAKE) --no-print-directory -j2 all $(B)/tests/xen/guest/flood $(B)/tests/xen/fault.so
	@sh tests/xen/run $(B) $(SCENARIO)

check-strict: all ## the same for devices and hostile guests, every send a hypercall
	@HV_EVTCHN=strict sh tests/integration/run $(B) vbd vif isolation

check-san: ## unit and model tests under ASan and UBSan
	@MODEL_AUDIT=8 $(MAKE) --no-print-directory SAN=1 check-unit check-model

check-san-system: ## devices and hostile guests with every daemon under ASan and UBSan
	@$(MAKE) --no-print-directory SAN=1 all
	@sh tests/integration/run build/$(ccname)-san vbd vif isolation

demo: deps ## boot the HOWTO's domain, show it at work, shut it down
	@$(MAKE) --no-print-directory -j2 all
	@KEEP=$(KEEP) sh tests/demo/demo $(B)

bench: all $(BENCHES) $(B)/tests/diff/ox_preload.so ## latencies and throughput beside the bare floor
	@sh tests/bench/run $(B)

bench-profile: all $(BENCHES) ## where the CPU goes that many clients take (root, perf)
	@sh tests/bench/profile $(B)

# tests/fuzz/fuzz_NAME.c with the archives that FUZZ_NAME lists.
FUZZ_bootcfg := boot
FUZZ_blkback := dom0
FUZZ_netback := dom0
FUZZ_async   := xenstore
FUZZ_client  := xenstore
FUZZ_common  := xscommon
FUZZ_console := xenconsoled
FUZZ_control := xenstored xscommon
FUZZ_http    := fileserver
FUZZ_ring    := xenstored xscommon
FUZZ_state   := xenstored xscommon
FUZZ_image   := xenstored xscommon
FUZZ_stream  := xenstored xscommon
FUZZ_xlcfg   := xl tools
FUZZERS := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

define fuzz_rule
$(1): $(1).o $(foreach a,$(FUZZ_$(patsubst fuzz_%,%,$(notdir $(1)))),$(B)/lib$(a).a)
	$$(call say,LD,$$@)
	$$(q)$$(CC) $$(SANFLAGS) -fsanitize=fuzzer -o $$@ $$(filter %.o,$$^) \
	    -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	    $$(LDFLAGS_ALL) $$(EVENT_LIBS) $$(TALLOC_LIBS) $$(SECCOMP_LIBS) $$(call pkg_libs,cmocka)
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzz_rule,$(t))))

fuzzers: $(FUZZERS)

fuzz: ## each fuzzer for T seconds (T=60), or one (F=NAME)
	@sh tests/support/fuzz "$(MAKE)" $(T) $(F)

FUZZ_SECONDS ?= 3
check-fuzz: ## the fuzzers over their corpora, and FUZZ_SECONDS (3) more each
	@sh tests/support/fuzz "$(MAKE)" $(FUZZ_SECONDS)

check: ## everything
	@sh tests/support/check
