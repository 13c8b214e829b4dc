/*
 * The ELF notes by which a domain builder knows that an image is a kernel, and
 * for which hosted ABI it was built. Nothing refers to them: every kernel is
 * linked with the whole archive.
 */
#include <stdint.h>

#include "abi/elfnote.h"
#include "hv-core/guest/abi_note.h"
#include "hv-core/hosted/proto.h"

#define SECTION __attribute__((section(".note.Xen"), used, aligned(4)))

/* Sizes and type in front, then the owner's name and the descriptor, each
 * padded to four bytes. */
struct text_note {
	uint32_t owner_size, desc_size, type;
	char owner[sizeof(XEN_ELFNOTE_OWNER)];
	char desc[32];
};

struct abi_note {
	uint32_t owner_size, desc_size, type;
	char owner[sizeof(ABI_NOTE_OWNER)];
	uint32_t desc;
};

_Static_assert(sizeof(XEN_ELFNOTE_OWNER) % 4 == 0, "needs no padding");
_Static_assert(sizeof(ABI_NOTE_OWNER) % 4 == 0, "needs no padding");

#define TEXT_NOTE(name, number, text)                                          \
	static const struct text_note name SECTION = {                         \
		sizeof(XEN_ELFNOTE_OWNER),                                     \
		sizeof(((struct text_note *)0)->desc),                         \
		(number),                                                      \
		XEN_ELFNOTE_OWNER,                                             \
		text,                                                          \
	}

TEXT_NOTE(note_os, XEN_ELFNOTE_GUEST_OS, "Kernbus");
TEXT_NOTE(note_version, XEN_ELFNOTE_GUEST_VERSION, "1");
TEXT_NOTE(note_xen, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
TEXT_NOTE(note_loader, XEN_ELFNOTE_LOADER, "generic");
TEXT_NOTE(note_features, XEN_ELFNOTE_FEATURES, "auto_translated_physmap");

static const struct abi_note note_abi SECTION = {
	sizeof(ABI_NOTE_OWNER),
	sizeof(uint32_t),
	ABI_NOTE_HOSTED,
	ABI_NOTE_OWNER,
	HV_PROTO_VERSION,
};

/* An address is the linker's to fill in: owner "Xen", PHYS32_ENTRY, _start. */
__asm__(".pushsection .note.Xen, \"a\", @note\n"
	".balign 4\n"
	".long 4, 4, 18\n"
	".asciz \"Xen\"\n"
	".long _start\n"
	".popsection\n");

_Static_assert(XEN_ELFNOTE_PHYS32_ENTRY == 18, "as in the text above");
