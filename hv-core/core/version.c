#include "abi/version.h"

#include "ops.h"

/* What we speak is the ABI of this version of Xen. */
#define MAJOR 4
#define MINOR 17
#define VIRT_START UINT64_C(0xffff800000000000)

static long
write_text(const struct call *c, uint64_t arg, const char *text, size_t room)
{
	char buf[1024];
	size_t len = 0;

	memset(buf, 0, sizeof(buf));
	while (text != NULL && text[len] != '\0' && len + 1 < room) {
		buf[len] = text[len];
		len++;
	}
	return call_write(c, arg, buf, room);
}

static long
op_compile_info(const struct call *c, uint64_t arg)
{
	static const struct xen_compile_info info = {
		.compiler = __VERSION__,
		.compile_by = "kernbus",
		.compile_domain = "localdomain",
		.compile_date = "reproducible",
	};

	return call_write(c, arg, &info, sizeof(info));
}

static long
op_features(const struct call *c, uint64_t arg)
{
	struct xen_feature_info info;
	int err = call_read(c, &info, arg, sizeof(info));

	if (err < 0)
		return err;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -XEN_EINVAL;
	info.submap = 1u << XENFEAT_auto_translated_physmap |
		      1u << XENFEAT_supervisor_mode_kernel |
		      1u << XENFEAT_hvm_callback_vector |
		      1u << XENFEAT_hvm_safe_pvclock |
		      1u << XENFEAT_memory_op_vnode_supported;
	if (c->d->privileged)
		info.submap |= 1u << XENFEAT_dom0;
	return call_write(c, arg, &info, sizeof(info));
}

static long
op_platform(const struct call *c, uint64_t arg)
{
	struct xen_platform_parameters p = { .virt_start = VIRT_START };

	return call_write(c, arg, &p, sizeof(p));
}

long
version_op(struct call *c)
{
	uint64_t arg = c->arg[1];

	switch ((uint32_t)c->arg[0]) {
	case XENVER_version:
		return MAJOR << 16 | MINOR;
	case XENVER_extraversion:
		return write_text(
		    c, arg, ".0-kernbus", sizeof(xen_extraversion_t));
	case XENVER_compile_info:
		return op_compile_info(c, arg);
	case XENVER_capabilities:
		return write_text(c, arg, "kernbus-1.0-x86_64 ",
		    sizeof(xen_capabilities_info_t));
	case XENVER_changeset:
		return write_text(
		    c, arg, "unavailable", sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters:
		return op_platform(c, arg);
	case XENVER_get_features:
		return op_features(c, arg);
	case XENVER_pagesize:
		return XEN_PAGE_SIZE;
	case XENVER_guest_handle:
		return call_write(
		    c, arg, c->d->spec.handle, sizeof(c->d->spec.handle));
	case XENVER_commandline:
		return write_text(
		    c, arg, c->hv->cfg.cmdline, sizeof(xen_commandline_t));
	case XENVER_build_id:
		return -XEN_ENODATA;
	default:
		return -XEN_ENOSYS;
	}
}
