#include "kernel.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "abi/elfnote.h"

#define GUEST_OS_HOSTED "Kernbus"

/* Bytes of an untrusted file. */
struct image {
	const uint8_t *bytes;
	size_t size;
};

/* The Xen notes that matter; a text is NULL if the note is not there. */
struct notes {
	char *guest_os;
	char *xen_version;
	char *loader;
	char *pae_mode;
	bool any;
	bool phys32_entry;
};

/* Reads all of GZ. The text in *WHY_OUT is static or zlib's. */
static uint8_t *
inflate_all(gzFile gz, size_t *size_out, const char **why_out)
{
	size_t size = 0, room = 1 << 20;
	uint8_t *bytes = malloc(room), *more;
	int n, err;

	while (bytes != NULL) {
		n = gzread(gz, bytes + size, (unsigned)(room - size));
		if (n < 0) {
			*why_out = gzerror(gz, &err);
			break;
		}
		size += (size_t)n;
		if (size < room) {
			if (gzeof(gz) && gzerror(gz, &err) != NULL &&
			    err == Z_OK) {
				*size_out = size;
				return bytes;
			}
			*why_out = "the compressed file ends too early";
			break;
		}
		if (room >= KERNEL_MAX_BYTES) {
			*why_out = "larger than 256 MiB";
			break;
		}
		room *= 2;
		more = realloc(bytes, room);
		if (more == NULL) {
			*why_out = "out of memory";
			break;
		}
		bytes = more;
	}
	free(bytes);
	return NULL;
}

/* A regular file, open for reading; -1 and a reason else. */
static int
open_regular(const char *path, const char **why_out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0) {
		*why_out = strerror(errno);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		*why_out = "not a file";
		close(fd);
		return -1;
	}
	return fd;
}

int
kernel_read(struct arena *mem, const char *path, uint8_t **bytes_out,
    size_t *size_out, const char **why_out)
{
	const char *why = "out of memory";
	int fd = open_regular(path, &why);
	gzFile gz = fd >= 0 ? gzdopen(fd, "rb") : NULL;

	*bytes_out = NULL;
	if (gz != NULL) {
		*bytes_out = inflate_all(gz, size_out, &why);
		why = arena_strdup(mem, why);
		gzclose(gz);
	} else if (fd >= 0) {
		close(fd);
	}
	*why_out = arena_strdup(mem, why);
	return *bytes_out != NULL ? 0 : -1;
}

/* Copies SIZE bytes at OFFSET. False if they do not lie in the image. */
static bool
get(const struct image *img, uint64_t offset, void *to, size_t size)
{
	if (offset > img->size || size > img->size - offset)
		return false;
	memcpy(to, img->bytes + offset, size);
	return true;
}

/* The note's descriptor as text: what is there up to a NUL. */
static char *
note_text(
    struct arena *mem, const struct image *img, uint64_t offset, uint32_t size)
{
	size_t len = 0;

	while (len < size && len < 64 && img->bytes[offset + len] != '\0')
		len++;
	return arena_strndup(mem, (const char *)img->bytes + offset, len);
}

static void
take_note(struct arena *mem, const struct image *img, uint32_t type,
    uint64_t desc, uint32_t size, struct notes *notes)
{
	notes->any = true;
	switch (type) {
	case XEN_ELFNOTE_GUEST_OS:
		notes->guest_os = note_text(mem, img, desc, size);
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		notes->xen_version = note_text(mem, img, desc, size);
		break;
	case XEN_ELFNOTE_LOADER:
		notes->loader = note_text(mem, img, desc, size);
		break;
	case XEN_ELFNOTE_PAE_MODE:
		notes->pae_mode = note_text(mem, img, desc, size);
		break;
	case XEN_ELFNOTE_PHYS32_ENTRY:
		notes->phys32_entry = true;
		break;
	}
}

/* Works off the notes in SIZE bytes from OFFSET on. */
static void
walk_notes(struct arena *mem, const struct image *img, uint64_t offset,
    uint64_t size, struct notes *notes)
{
	uint32_t head[3]; /* name size, descriptor size, type */
	uint64_t end;

	if (offset > img->size || size > img->size - offset)
		return;
	end = offset + size;
	while (end - offset >= sizeof(head)) {
		uint64_t name, desc, next;

		get(img, offset, head, sizeof(head));
		name = offset + sizeof(head);
		desc = name + (((uint64_t)head[0] + 3) & ~UINT64_C(3));
		next = desc + (((uint64_t)head[1] + 3) & ~UINT64_C(3));
		if (desc + head[1] > end)
			return;
		if (head[0] == sizeof(XEN_ELFNOTE_OWNER) &&
		    memcmp(img->bytes + name, XEN_ELFNOTE_OWNER, head[0]) == 0)
			take_note(mem, img, head[2], desc, head[1], notes);
		if (next > end)
			return;
		offset = next;
	}
}

/* Program header I, widened to 64 bits. False if it is outside the image. */
static bool
program_header(
    const struct image *img, const Elf64_Ehdr *eh, unsigned i, Elf64_Phdr *out)
{
	Elf32_Phdr small;

	if (eh->e_ident[EI_CLASS] == ELFCLASS64)
		return eh->e_phentsize == sizeof(*out) &&
		       get(img, eh->e_phoff + (uint64_t)i * sizeof(*out), out,
			   sizeof(*out));
	if (eh->e_phentsize != sizeof(small) ||
	    !get(img, eh->e_phoff + (uint64_t)i * sizeof(small), &small,
		sizeof(small)))
		return false;
	*out = (Elf64_Phdr){ .p_type = small.p_type,
		.p_flags = small.p_flags,
		.p_offset = small.p_offset,
		.p_vaddr = small.p_vaddr,
		.p_filesz = small.p_filesz };
	return true;
}

/* The ELF header, widened to 64 bits. */
static bool
elf_header(const struct image *img, Elf64_Ehdr *out)
{
	Elf32_Ehdr small;

	if (!get(img, 0, out->e_ident, EI_NIDENT) ||
	    memcmp(out->e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (out->e_ident[EI_CLASS] == ELFCLASS64)
		return get(img, 0, out, sizeof(*out));
	if (!get(img, 0, &small, sizeof(small)))
		return false;
	out->e_type = small.e_type;
	out->e_machine = small.e_machine;
	out->e_phoff = small.e_phoff;
	out->e_phnum = small.e_phnum;
	out->e_phentsize = small.e_phentsize;
	return true;
}

static const char *
what_instead_of_elf(const struct image *img)
{
	char magic[4];

	if (img->size == 0)
		return "the file is empty";
	if (get(img, 0x202, magic, 4) && memcmp(magic, "HdrS", 4) == 0)
		return "a Linux bzImage, not an ELF kernel: take its vmlinux";
	if (get(img, 0, magic, 2) && memcmp(magic, "#!", 2) == 0)
		return "a script, not a kernel";
	return "not an ELF file";
}

static const char *
check_notes(struct arena *mem, const struct notes *n)
{
	if (!n->any)
		return "no Xen ELF notes: not a kernel for a domU (an "
		       "ordinary program?)";
	if (n->xen_version == NULL || strncmp(n->xen_version, "xen-3.", 6) != 0)
		return "its notes do not say that it is for Xen 3 and later";
	if (n->loader == NULL || strcmp(n->loader, "generic") != 0)
		return "its notes ask for a loader other than 'generic'";
	if (n->guest_os == NULL || strcmp(n->guest_os, GUEST_OS_HOSTED) != 0)
		return arena_printf(mem,
		    "a kernel for real machines (%s): the hosted hypervisor "
		    "runs kernels that were linked with hv-core/guest",
		    n->guest_os != NULL ? n->guest_os : "unknown system");
	if (!n->phys32_entry)
		return "its notes give no entry: not a kernel for a domU";
	return NULL;
}

/* NULL, or what is wrong with the ELF file as such. */
static const char *
check_elf(const Elf64_Ehdr *eh, const struct notes *n)
{
	if (eh->e_ident[EI_CLASS] == ELFCLASS32 && n->pae_mode != NULL &&
	    strncmp(n->pae_mode, "no", 2) == 0)
		return "a 32-bit kernel without PAE, which no Xen after 3.1 "
		       "runs";
	if (eh->e_ident[EI_CLASS] == ELFCLASS32)
		return "a 32-bit kernel: only x86-64 kernels can run here";
	if (eh->e_machine != EM_X86_64)
		return "not a kernel for x86-64";
	return NULL;
}

/* Goes through the program headers. NULL, or what is wrong with them. */
static const char *
check_segments(struct arena *mem, const struct image *img, const Elf64_Ehdr *eh,
    struct notes *notes, bool *static_out)
{
	bool has_entry = false;
	Elf64_Phdr ph;

	*static_out = eh->e_type == ET_EXEC;
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		if (!program_header(img, eh, i, &ph) ||
		    ph.p_offset > img->size ||
		    ph.p_filesz > img->size - ph.p_offset)
			return "a damaged ELF file: parts of it are missing";
		if (ph.p_type == PT_INTERP)
			*static_out = false;
		if (ph.p_type == PT_NOTE)
			walk_notes(mem, img, ph.p_offset, ph.p_filesz, notes);
		if (ph.p_type == PT_LOAD && (ph.p_flags & PF_X) != 0 &&
		    eh->e_entry >= ph.p_vaddr &&
		    eh->e_entry - ph.p_vaddr < ph.p_filesz)
			has_entry = true;
	}
	return has_entry || eh->e_ident[EI_CLASS] == ELFCLASS32
		   ? NULL
		   : "a damaged ELF file: it has no code where it starts";
}

int
kernel_check(
    struct arena *mem, const uint8_t *image, size_t size, const char **why_out)
{
	struct image img = { image, size };
	struct notes notes = { 0 };
	Elf64_Ehdr eh = { 0 };
	bool is_static;

	*why_out = what_instead_of_elf(&img);
	if (!elf_header(&img, &eh))
		return -1;
	*why_out = "a byte order or class of ELF that does not exist here";
	if (eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (eh.e_ident[EI_CLASS] != ELFCLASS64 &&
		eh.e_ident[EI_CLASS] != ELFCLASS32))
		return -1;
	*why_out = check_segments(mem, &img, &eh, &notes, &is_static);
	if (*why_out == NULL)
		*why_out = check_elf(&eh, &notes);
	if (*why_out == NULL)
		*why_out = check_notes(mem, &notes);
	if (*why_out == NULL && !is_static)
		*why_out = "not a static executable";
	return *why_out == NULL ? 0 : -1;
}
