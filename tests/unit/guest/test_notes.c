/* The object whose notes every kernel carries: read as a domain builder does.
 */
#include <elf.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/elfnote.h"
#include "hv-core/guest/abi_note.h"
#include "hv-core/hosted/proto.h"

static uint8_t file[1 << 20];
static const uint8_t *notes;
static size_t notes_len;

/* .../tests/unit/guest/test_notes -> .../hv-core/guest/notes.o */
static void
load(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	char *root;
	FILE *f;

	assert_true(n > 0);
	path[n] = '\0';
	root = strstr(path, "/tests/unit/guest/");
	assert_non_null(root);
	strcpy(root, "/hv-core/guest/notes.o");
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_true(fread(file, 1, sizeof(file), f) > sizeof(Elf64_Ehdr));
	fclose(f);
}

static int
find_section(void **state)
{
	const Elf64_Ehdr *eh = (const void *)file;
	const Elf64_Shdr *sh;

	(void)state;
	load();
	sh = (const void *)(file + eh->e_shoff);
	for (int i = 0; i < eh->e_shnum; i++) {
		const char *name =
		    (char *)file + sh[eh->e_shstrndx].sh_offset + sh[i].sh_name;

		if (strcmp(name, ".note.Xen") != 0 || sh[i].sh_type != SHT_NOTE)
			continue;
		/* gcc and as may make two sections of one name. */
		if (sh[i].sh_size > notes_len) {
			notes = file + sh[i].sh_offset;
			notes_len = sh[i].sh_size;
		}
		assert_true(sh[i].sh_flags & SHF_ALLOC);
	}
	return notes_len > 0 ? 0 : -1;
}

/* The descriptor of note TYPE of OWNER, or NULL. */
static const uint8_t *
find(const char *owner, uint32_t type, uint32_t *len)
{
	size_t at = 0;

	while (at + sizeof(Elf64_Nhdr) <= notes_len) {
		Elf64_Nhdr n;
		size_t name = at + sizeof(n), desc;

		memcpy(&n, notes + at, sizeof(n));
		desc = name + ((n.n_namesz + 3u) & ~3u);
		at = desc + ((n.n_descsz + 3u) & ~3u);
		assert_true(at <= notes_len);
		if (n.n_type == type && n.n_namesz == strlen(owner) + 1 &&
		    memcmp(notes + name, owner, n.n_namesz) == 0) {
			*len = n.n_descsz;
			return notes + desc;
		}
	}
	return NULL;
}

static void
a_builder_finds_what_it_looks_for(void **state)
{
	static const struct {
		uint32_t type;
		const char *text;
	} want[] = {
		{ XEN_ELFNOTE_GUEST_OS, "Kernbus" },
		{ XEN_ELFNOTE_GUEST_VERSION, "1" },
		{ XEN_ELFNOTE_XEN_VERSION, "xen-3.0" },
		{ XEN_ELFNOTE_LOADER, "generic" },
		{ XEN_ELFNOTE_FEATURES, "auto_translated_physmap" },
	};
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const uint8_t *desc = find("Xen", want[i].type, &len);

		assert_non_null(desc);
		assert_non_null(memchr(desc, '\0', len));
		assert_string_equal((const char *)desc, want[i].text);
	}
	assert_non_null(find("Xen", XEN_ELFNOTE_PHYS32_ENTRY, &len));
	assert_int_equal(len, 4);
	assert_null(find("Xen", 99, &len));
}

static void
the_hosted_abi_is_named(void **state)
{
	uint32_t len, version;
	const uint8_t *desc = find(ABI_NOTE_OWNER, ABI_NOTE_HOSTED, &len);

	(void)state;
	assert_non_null(desc);
	assert_int_equal(len, 4);
	memcpy(&version, desc, 4);
	assert_int_equal(version, HV_PROTO_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_builder_finds_what_it_looks_for),
		cmocka_unit_test(the_hosted_abi_is_named),
	};

	return cmocka_run_group_tests(tests, find_section, NULL);
}
