#include "xl_test.h"

#include <elf.h>
#include <unistd.h>
#include <zlib.h>

#include "tools/xl/kernel.h"

#include "abi/elfnote.h"

#define NOTES_AT 512
#define CODE_AT 1024
#define IMAGE_SIZE 2048

/* An image under construction. */
struct image {
	union {
		uint8_t bytes[IMAGE_SIZE];
		Elf64_Ehdr eh;
		struct {
			uint8_t skip[sizeof(Elf64_Ehdr)];
			Elf64_Phdr ph[3];
		} h;
	} u;
	size_t notes; /* bytes of notes so far */
};

static void
add_note(struct image *img, uint32_t type, const void *desc, uint32_t size)
{
	const uint32_t head[3] = { 4, size, type };
	uint8_t *to = img->u.bytes + NOTES_AT + img->notes;

	memcpy(to, head, sizeof(head));
	memcpy(to + 12, "Xen", 4);
	memcpy(to + 16, desc, size);
	img->notes += 16 + ((size + 3) & ~3u);
	img->u.h.ph[0].p_filesz = img->notes;
}

static void
add_text(struct image *img, uint32_t type, const char *text)
{
	add_note(img, type, text, (uint32_t)strlen(text) + 1);
}

/* An image without notes that is good otherwise. */
static void
start_image(struct image *img)
{
	memset(img, 0, sizeof(*img));
	memcpy(img->u.eh.e_ident, ELFMAG, SELFMAG);
	img->u.eh.e_ident[EI_CLASS] = ELFCLASS64;
	img->u.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	img->u.eh.e_type = ET_EXEC;
	img->u.eh.e_machine = EM_X86_64;
	img->u.eh.e_entry = 0x400000;
	img->u.eh.e_phoff = sizeof(Elf64_Ehdr);
	img->u.eh.e_phentsize = sizeof(Elf64_Phdr);
	img->u.eh.e_phnum = 2;
	img->u.h.ph[0] =
	    (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTES_AT };
	img->u.h.ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = CODE_AT,
		.p_vaddr = 0x400000,
		.p_filesz = 64 };
}

/* A kernel as hv-core/guest links them. */
static void
good_image(struct image *img)
{
	const uint32_t entry = 0x400000;

	start_image(img);
	add_text(img, XEN_ELFNOTE_GUEST_OS, "Kernbus");
	add_text(img, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	add_text(img, XEN_ELFNOTE_LOADER, "generic");
	add_note(img, XEN_ELFNOTE_PHYS32_ENTRY, &entry, sizeof(entry));
}

/* What is wrong with SIZE bytes of IMG; NULL if nothing. In a heap block of
 * just that size, so that a sanitizer sees every byte read beyond it. */
static const char *
verdict(struct fixture *f, const struct image *img, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	const char *why = NULL;
	int ret;

	memcpy(exact, img->u.bytes, size);
	ret = kernel_check(f->mem, exact, size, &why);
	if (why != NULL)
		why = arena_strdup(f->mem, why);
	free(exact);
	assert_int_equal(ret, why == NULL ? 0 : -1);
	return why;
}

static void
a_kernel_of_ours_passes(void **state)
{
	struct image img;

	good_image(&img);
	assert_null(verdict(*state, &img, IMAGE_SIZE));
}

static void
what_is_no_elf_file_is_called_by_its_name(void **state)
{
	struct fixture *f = *state;
	struct image img;

	memset(&img, 0, sizeof(img));
	assert_string_equal(verdict(f, &img, 0), "the file is empty");
	assert_string_equal(verdict(f, &img, 100), "not an ELF file");
	memcpy(img.u.bytes, "#!/bin/sh\n", 10);
	assert_string_equal(verdict(f, &img, 10), "a script, not a kernel");
	memcpy(img.u.bytes + 0x202, "HdrS", 4);
	assert_string_equal(verdict(f, &img, IMAGE_SIZE),
	    "a Linux bzImage, not an ELF kernel: take its vmlinux");
	good_image(&img);
	assert_string_equal(verdict(f, &img, 20), "not an ELF file");
}

static void
programs_and_foreign_kernels_are_refused_with_a_reason(void **state)
{
	struct fixture *f = *state;
	struct image img;

	start_image(&img);
	assert_non_null(
	    strstr(verdict(f, &img, IMAGE_SIZE), "no Xen ELF notes"));

	start_image(&img);
	add_text(&img, XEN_ELFNOTE_GUEST_OS, "linux");
	add_text(&img, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	add_text(&img, XEN_ELFNOTE_LOADER, "generic");
	assert_string_equal(verdict(f, &img, IMAGE_SIZE),
	    "a kernel for real machines (linux): the hosted hypervisor runs "
	    "kernels that were linked with hv-core/guest");

	start_image(&img);
	add_text(&img, XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
	assert_non_null(strstr(verdict(f, &img, IMAGE_SIZE), "Xen 3"));

	start_image(&img);
	add_text(&img, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	add_text(&img, XEN_ELFNOTE_LOADER, "special");
	assert_non_null(strstr(verdict(f, &img, IMAGE_SIZE), "loader"));

	start_image(&img);
	add_text(&img, XEN_ELFNOTE_GUEST_OS, "Kernbus");
	add_text(&img, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	add_text(&img, XEN_ELFNOTE_LOADER, "generic");
	assert_non_null(strstr(verdict(f, &img, IMAGE_SIZE), "no entry"));
}

static void
machines_and_formats_other_than_ours_are_refused(void **state)
{
	struct fixture *f = *state;
	struct image img;

	good_image(&img);
	img.u.eh.e_machine = EM_AARCH64;
	assert_string_equal(
	    verdict(f, &img, IMAGE_SIZE), "not a kernel for x86-64");
	good_image(&img);
	img.u.eh.e_type = ET_DYN;
	assert_string_equal(
	    verdict(f, &img, IMAGE_SIZE), "not a static executable");
	good_image(&img);
	img.u.eh.e_phnum = 3;
	img.u.h.ph[2].p_type = PT_INTERP;
	assert_string_equal(
	    verdict(f, &img, IMAGE_SIZE), "not a static executable");
	good_image(&img);
	img.u.eh.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_non_null(strstr(verdict(f, &img, IMAGE_SIZE), "byte order"));
}

/* The HOWTO's i386 kernels. */
static void
kernels_of_32_bits_are_refused_and_the_ones_without_pae_by_name(void **state)
{
	struct fixture *f = *state;
	struct image img;
	Elf32_Ehdr eh = { .e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_phoff = 256,
		.e_phnum = 1,
		.e_phentsize = sizeof(Elf32_Phdr) };
	Elf32_Phdr ph = { .p_type = PT_NOTE, .p_offset = NOTES_AT };

	for (int pae = 0; pae < 2; pae++) {
		start_image(&img);
		add_text(&img, XEN_ELFNOTE_GUEST_OS, "NetBSD");
		add_text(&img, XEN_ELFNOTE_PAE_MODE, pae ? "yes" : "no");
		ph.p_filesz = (Elf32_Word)img.notes;
		memset(img.u.bytes, 0, NOTES_AT);
		memcpy(eh.e_ident, ELFMAG, SELFMAG);
		eh.e_ident[EI_CLASS] = ELFCLASS32;
		eh.e_ident[EI_DATA] = ELFDATA2LSB;
		memcpy(img.u.bytes, &eh, sizeof(eh));
		memcpy(img.u.bytes + 256, &ph, sizeof(ph));
		assert_non_null(strstr(verdict(f, &img, IMAGE_SIZE),
		    pae ? "only x86-64" : "without PAE"));
	}
}

static void
damaged_files_are_refused_and_read_within_their_bounds(void **state)
{
	struct fixture *f = *state;
	struct image img;
	unsigned seed = 7;

	good_image(&img);
	img.u.h.ph[1].p_offset = IMAGE_SIZE - 10;
	assert_non_null(strstr(verdict(f, &img, IMAGE_SIZE), "missing"));
	good_image(&img);
	img.u.eh.e_entry = 0x1000;
	assert_non_null(
	    strstr(verdict(f, &img, IMAGE_SIZE), "where it starts"));
	good_image(&img);
	img.u.eh.e_phoff = UINT64_MAX - 8;
	assert_non_null(verdict(f, &img, IMAGE_SIZE));
	good_image(&img);
	img.u.h.ph[0].p_offset = UINT64_MAX;
	assert_non_null(verdict(f, &img, IMAGE_SIZE));
	for (size_t size = 0; size < CODE_AT + 64; size++) {
		good_image(&img);
		assert_non_null(verdict(f, &img, size));
	}
	for (int i = 0; i < 20000; i++) {
		good_image(&img);
		for (int j = 0; j < 3; j++) {
			seed = seed * 1103515245 + 12345;
			img.u.bytes[(seed >> 8) % (NOTES_AT + 128)] =
			    (uint8_t)(seed >> 24);
		}
		verdict(f, &img, IMAGE_SIZE);
	}
}

static void
put_file(const char *path, const void *bytes, size_t size)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

static void
plain_and_gzipped_files_read_the_same(void **state)
{
	char path[] = "/tmp/test_kernel.XXXXXX";
	struct fixture *f = *state;
	const char *why = "";
	struct image img;
	uint8_t *bytes;
	size_t size;
	gzFile gz;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	good_image(&img);
	put_file(path, img.u.bytes, IMAGE_SIZE);
	assert_int_equal(kernel_read(f->mem, path, &bytes, &size, &why), 0);
	assert_int_equal(size, IMAGE_SIZE);
	assert_memory_equal(bytes, img.u.bytes, IMAGE_SIZE);
	free(bytes);
	gz = gzopen(path, "wb9");
	assert_int_equal(gzwrite(gz, img.u.bytes, IMAGE_SIZE), IMAGE_SIZE);
	gzclose(gz);
	assert_int_equal(kernel_read(f->mem, path, &bytes, &size, &why), 0);
	assert_int_equal(size, IMAGE_SIZE);
	assert_memory_equal(bytes, img.u.bytes, IMAGE_SIZE);
	free(bytes);
	assert_int_equal(truncate(path, 60), 0);
	assert_int_equal(kernel_read(f->mem, path, &bytes, &size, &why), -1);
	assert_null(bytes);
	assert_true(strlen(why) > 0);
	unlink(path);
	assert_int_equal(kernel_read(f->mem, path, &bytes, &size, &why), -1);
	assert_string_equal(why, "No such file or directory");
	assert_int_equal(kernel_read(f->mem, "/tmp", &bytes, &size, &why), -1);
	assert_string_equal(why, "not a file");
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_kernel_of_ours_passes),
		T(what_is_no_elf_file_is_called_by_its_name),
		T(programs_and_foreign_kernels_are_refused_with_a_reason),
		T(machines_and_formats_other_than_ours_are_refused),
		T(kernels_of_32_bits_are_refused_and_the_ones_without_pae_by_name),
		T(damaged_files_are_refused_and_read_within_their_bounds),
		T(plain_and_gzipped_files_read_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
