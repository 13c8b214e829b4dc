/*
 * ELF headers and notes, each bound checked before it is used.
 */
#include <elf.h>
#include <string.h>

#include "abi/elfnote.h"
#include "hv-core/hosted/boot/elfcheck.h"

#define XENFEAT_dom0 11
#define KERNEL_HALF (UINT64_C(1) << 63)

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#error "which ELF machine is this?"
#endif

/* LEN bytes at OFF are within SIZE. */
static int
within(size_t size, uint64_t off, uint64_t len)
{
	return off <= size && len <= size - off;
}

/* Program header I of a checked image; 0 or -1. */
static int
program_header(const uint8_t *image, size_t size, const Elf64_Ehdr *eh,
    unsigned i, Elf64_Phdr *out)
{
	uint64_t off = (uint64_t)i * sizeof(*out);

	if (eh->e_phoff > size ||
	    !within(size, eh->e_phoff + off, sizeof(*out)))
		return -1;
	memcpy(out, image + eh->e_phoff + off, sizeof(*out));
	return 0;
}

static const char *
check_ident(const uint8_t *image, size_t size)
{
	if (size < EI_NIDENT || memcmp(image, ELFMAG, SELFMAG) != 0)
		return "is no ELF image";
	if (image[EI_CLASS] == ELFCLASS32)
		return "is a 32-bit image, made for a real machine; "
		       "a hosted one is a 64-bit program";
	if (image[EI_CLASS] != ELFCLASS64 || image[EI_DATA] != ELFDATA2LSB)
		return "is no little-endian 64-bit ELF image";
	if (size < sizeof(Elf64_Ehdr))
		return "ends within its ELF header";
	return NULL;
}

const char *
elf_check_program(const uint8_t *image, size_t size)
{
	const char *why = check_ident(image, size);
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	if (why != NULL)
		return why;
	memcpy(&eh, image, sizeof(eh));
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return "is an ELF file, but not an executable";
	if (eh.e_machine != OUR_MACHINE)
		return "is made for another processor";
	if (eh.e_phnum == 0 || eh.e_phentsize != sizeof(ph))
		return "has no program headers";
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		if (program_header(image, size, &eh, i, &ph) != 0)
			return "ends within its program headers";
		if (ph.p_type != PT_LOAD)
			continue;
		if (!within(size, ph.p_offset, ph.p_filesz))
			return "ends within what is to be loaded of it";
		if (ph.p_vaddr >= KERNEL_HALF)
			return "is linked into the kernel's half of memory, "
			       "for a real machine; a hosted one is a program";
	}
	return NULL;
}

/* ----------------------------------------------------------------- notes -- */

static void
take_string(char *to, size_t room, const uint8_t *from, size_t len)
{
	if (len >= room)
		len = room - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static void
take_note(struct xen_notes *n, uint32_t type, const uint8_t *desc, size_t len)
{
	if (type < 32)
		n->seen |= UINT32_C(1) << type;
	switch (type) {
	case XEN_ELFNOTE_GUEST_OS:
		take_string(n->guest_os, sizeof(n->guest_os), desc, len);
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		take_string(n->xen_version, sizeof(n->xen_version), desc, len);
		break;
	case XEN_ELFNOTE_LOADER:
		take_string(n->loader, sizeof(n->loader), desc, len);
		break;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		if (len >= sizeof(n->supported_features))
			memcpy(&n->supported_features, desc,
			    sizeof(n->supported_features));
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		if (len >= sizeof(n->virt_base))
			memcpy(&n->virt_base, desc, sizeof(n->virt_base));
		break;
	default:
		break;
	}
}

static uint64_t
align4(uint64_t n)
{
	return (n + 3) & ~UINT64_C(3);
}

/* One PT_NOTE segment. */
static const char *
take_segment(const uint8_t *seg, size_t size, struct xen_notes *out)
{
	uint64_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr nh;
		uint64_t name, desc;

		memcpy(&nh, seg + at, sizeof(nh));
		name = at + sizeof(nh);
		desc = name + align4(nh.n_namesz);
		if (!within(size, name, nh.n_namesz) ||
		    !within(size, desc, nh.n_descsz))
			return "has a note that ends beyond its segment";
		if (nh.n_namesz == sizeof(XEN_ELFNOTE_OWNER) &&
		    memcmp(seg + name, XEN_ELFNOTE_OWNER,
			sizeof(XEN_ELFNOTE_OWNER)) == 0)
			take_note(out, nh.n_type, seg + desc, nh.n_descsz);
		at = desc + align4(nh.n_descsz);
		if (at > size)
			break;
	}
	return NULL;
}

const char *
elf_read_notes(const uint8_t *image, size_t size, struct xen_notes *out)
{
	const char *why = check_ident(image, size);
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	memset(out, 0, sizeof(*out));
	if (why != NULL)
		return why;
	memcpy(&eh, image, sizeof(eh));
	for (unsigned i = 0; why == NULL && i < eh.e_phnum; i++) {
		if (eh.e_phentsize != sizeof(ph) ||
		    program_header(image, size, &eh, i, &ph) != 0)
			return "ends within its program headers";
		if (ph.p_type != PT_NOTE)
			continue;
		if (!within(size, ph.p_offset, ph.p_filesz))
			return "ends within its notes";
		why = take_segment(image + ph.p_offset, ph.p_filesz, out);
	}
	return why;
}

static int
has(const struct xen_notes *n, unsigned type)
{
	return (n->seen >> type & 1) != 0;
}

const char *
elf_check_dom0(const uint8_t *image, size_t size)
{
	struct xen_notes n;
	const char *why = elf_check_program(image, size);

	if (why == NULL)
		why = elf_read_notes(image, size, &n);
	if (why != NULL)
		return why;
	if (n.seen == 0)
		return "is no Xen kernel: it has no Xen ELF notes";
	if (!has(&n, XEN_ELFNOTE_GUEST_OS) || !has(&n, XEN_ELFNOTE_LOADER))
		return "has Xen ELF notes, but not GUEST_OS and LOADER";
	if (strcmp(n.xen_version, "xen-3.0") != 0)
		return "is not made for the xen-3.0 interface "
		       "(its note XEN_VERSION)";
	if (!has(&n, XEN_ELFNOTE_SUPPORTED_FEATURES) ||
	    (n.supported_features >> XENFEAT_dom0 & 1) == 0)
		return "is a kernel for a domU: it does not say that it can be "
		       "domain 0 (dom0 in its note SUPPORTED_FEATURES)";
	return NULL;
}
