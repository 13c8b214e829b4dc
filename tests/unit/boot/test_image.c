/*
 * Images: inflating them, and what their ELF headers and notes must say.
 */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "abi/elfnote.h"
#include "hv-core/hosted/boot/elfcheck.h"
#include "hv-core/hosted/boot/loader.h"

struct note {
	Elf64_Nhdr head;
	char owner[4];
	char desc[16];
};

/* A small kernel: header, a loaded and a note segment, four notes. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	struct note note[4];
};

static struct image im;

static void
set_note(unsigned i, uint32_t type, const void *desc, size_t len)
{
	struct note *n = &im.note[i];

	n->head = (Elf64_Nhdr){ 4, sizeof(n->desc), type };
	memcpy(n->owner, "Xen", 4);
	memset(n->desc, 0, sizeof(n->desc));
	memcpy(n->desc, desc, len);
}

static int
make_image(void **state)
{
	uint32_t dom0 = 1u << 11;

	(void)state;
	memset(&im, 0, sizeof(im));
	memcpy(im.eh.e_ident, ELFMAG, SELFMAG);
	im.eh.e_ident[EI_CLASS] = ELFCLASS64;
	im.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	im.eh.e_type = ET_EXEC;
#if defined(__x86_64__)
	im.eh.e_machine = EM_X86_64;
#else
	im.eh.e_machine = EM_AARCH64;
#endif
	im.eh.e_phoff = offsetof(struct image, ph);
	im.eh.e_phentsize = sizeof(Elf64_Phdr);
	im.eh.e_phnum = 2;
	im.ph[0].p_type = PT_LOAD;
	im.ph[0].p_vaddr = 0x400000;
	im.ph[0].p_filesz = sizeof(im);
	im.ph[1].p_type = PT_NOTE;
	im.ph[1].p_offset = offsetof(struct image, note);
	im.ph[1].p_filesz = sizeof(im.note);
	set_note(0, XEN_ELFNOTE_GUEST_OS, "Kernbus", 8);
	set_note(1, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	set_note(2, XEN_ELFNOTE_LOADER, "generic", 8);
	set_note(3, XEN_ELFNOTE_SUPPORTED_FEATURES, &dom0, 4);
	return 0;
}

static const char *
check(void)
{
	return elf_check_dom0((const uint8_t *)&im, sizeof(im));
}

#define assert_refused(word)                                                   \
	do {                                                                   \
		const char *why_ = check();                                    \
		assert_non_null(why_);                                         \
		if (strstr(why_, word) == NULL)                                \
			fail_msg("%s", why_);                                  \
	} while (0)

static void
a_whole_kernel_is_approved(void **state)
{
	struct xen_notes n;

	(void)state;
	assert_null(check());
	assert_null(elf_read_notes((const uint8_t *)&im, sizeof(im), &n));
	assert_string_equal(n.guest_os, "Kernbus");
	assert_string_equal(n.xen_version, "xen-3.0");
	assert_string_equal(n.loader, "generic");
	assert_int_equal(n.supported_features, 1u << 11);
}

static void
what_cannot_run_here_is_refused_with_a_reason(void **state)
{
	im.eh.e_ident[0] = 0;
	assert_refused("no ELF image");
	make_image(state);
	im.eh.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused("32-bit");
	make_image(state);
	im.eh.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused("little-endian");
	make_image(state);
	im.eh.e_type = ET_REL;
	assert_refused("not an executable");
	make_image(state);
	im.eh.e_machine = EM_PPC64;
	assert_refused("another processor");
	make_image(state);
	im.ph[0].p_vaddr = UINT64_C(0xffffffff80000000);
	assert_refused("kernel's half");
}

static void
what_is_no_dom0_kernel_is_refused_with_a_reason(void **state)
{
	uint32_t no_dom0 = 1u << 2;

	im.ph[1].p_type = PT_NULL;
	assert_refused("no Xen ELF notes");
	make_image(state);
	for (int i = 0; i < 4; i++)
		memcpy(im.note[i].owner, "GNU", 4);
	assert_refused("no Xen ELF notes");
	make_image(state);
	set_note(0, XEN_ELFNOTE_FEATURES, "", 1);
	assert_refused("GUEST_OS");
	make_image(state);
	set_note(1, XEN_ELFNOTE_XEN_VERSION, "xen-2.0", 8);
	assert_refused("xen-3.0");
	make_image(state);
	set_note(3, XEN_ELFNOTE_SUPPORTED_FEATURES, &no_dom0, 4);
	assert_refused("domU");
	make_image(state);
	set_note(3, XEN_ELFNOTE_FEATURES, "", 1);
	assert_refused("domU");
}

static void
lengths_that_lie_are_refused(void **state)
{
	im.eh.e_phoff = UINT64_MAX - 8;
	assert_refused("ends within");
	make_image(state);
	im.eh.e_phnum = 65535;
	assert_refused("ends within");
	make_image(state);
	im.ph[0].p_filesz = UINT64_MAX;
	assert_refused("ends within");
	make_image(state);
	im.ph[1].p_offset = UINT64_MAX - 3;
	assert_refused("ends within");
	make_image(state);
	im.note[1].head.n_namesz = UINT32_MAX;
	assert_refused("beyond its segment");
	make_image(state);
	im.note[1].head.n_descsz = UINT32_MAX;
	assert_refused("beyond its segment");
}

/* Every cut and every single changed byte is answered without a crash. */
static void
no_damage_can_hurt_the_reader(void **state)
{
	uint8_t *exact;

	(void)state;
	for (size_t n = 0; n < sizeof(im); n++) {
		exact = malloc(n + 1); /* so that a sanitizer sees the end */
		memcpy(exact, &im, n);
		assert_non_null(elf_check_dom0(exact, n));
		free(exact);
	}
	exact = malloc(sizeof(im));
	for (size_t i = 0; i < sizeof(im); i++)
		for (unsigned v = 1; v < 256; v += 42) {
			memcpy(exact, &im, sizeof(im));
			exact[i] ^= (uint8_t)v;
			elf_check_dom0(exact, sizeof(im));
		}
	free(exact);
}

/* --------------------------------------------------------------- loading -- */

static char path[64];

static int
make_path(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/hosted-image-%d", (int)getpid());
	return 0;
}

static int
remove_path(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void
write_file(const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static size_t
gzip(const void *data, size_t len, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (void *)(uintptr_t)data,
		.avail_in = (uInt)len,
		.next_out = out,
		.avail_out = (uInt)room };

	assert_int_equal(
	    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
	    Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static void
plain_and_gzipped_files_load_alike(void **state)
{
	uint8_t zipped[1024], back[sizeof(im)];
	const char *why;

	make_image(state);
	for (int zip = 0; zip < 2; zip++) {
		int fd;

		if (zip)
			write_file(zipped,
			    gzip(&im, sizeof(im), zipped, sizeof(zipped)));
		else
			write_file(&im, sizeof(im));
		fd = loader_load(path, elf_check_dom0, &why);
		assert_true(fd >= 0);
		assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(im));
		assert_int_equal(pread(fd, back, sizeof(back), 0), sizeof(im));
		assert_memory_equal(back, &im, sizeof(im));
		/* sealed: it stays what was checked */
		assert_int_equal(pwrite(fd, "x", 1, 0), -1);
		assert_int_equal(ftruncate(fd, 0), -1);
		close(fd);
	}
}

static void
what_cannot_be_loaded_says_why(void **state)
{
	uint8_t zipped[1024];
	const char *why = NULL;
	size_t n;

	make_image(state);
	n = gzip(&im, sizeof(im), zipped, sizeof(zipped));
	assert_int_equal(loader_inflate(path, &why), -1);
	assert_string_equal(why, "No such file or directory");
	write_file("", 0);
	assert_int_equal(loader_inflate(path, &why), -1);
	assert_string_equal(why, "is empty");
	write_file(zipped, n / 2);
	assert_int_equal(loader_inflate(path, &why), -1);
	assert_non_null(strstr(why, "damaged or end too early"));
	zipped[n / 2] ^= 0x55;
	write_file(zipped, n);
	assert_int_equal(loader_inflate(path, &why), -1);
	assert_non_null(strstr(why, "damaged or end too early"));
	assert_int_equal(loader_inflate("/dev/zero", &why), -1);
	assert_string_equal(why, "is not a regular file");
	assert_int_equal(loader_inflate("/", &why), -1);
	assert_string_equal(why, "is not a regular file");
	write_file("#!/bin/sh\n", 10);
	assert_int_equal(loader_load(path, elf_check_program, &why), -1);
	assert_string_equal(why, "is no ELF image");
}

#define ELF_TEST(t) cmocka_unit_test_setup(t, make_image)
#define FILE_TEST(t) cmocka_unit_test_setup_teardown(t, make_path, remove_path)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ELF_TEST(a_whole_kernel_is_approved),
		ELF_TEST(what_cannot_run_here_is_refused_with_a_reason),
		ELF_TEST(what_is_no_dom0_kernel_is_refused_with_a_reason),
		ELF_TEST(lengths_that_lie_are_refused),
		ELF_TEST(no_damage_can_hurt_the_reader),
		FILE_TEST(plain_and_gzipped_files_load_alike),
		FILE_TEST(what_cannot_be_loaded_says_why),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
