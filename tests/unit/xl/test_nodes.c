#include "xl_test.h"

#include "tools/xl/nodes.h"

static struct domcfg
domain_of(struct fixture *f, const char *text)
{
	static const struct domcfg_defaults dflt = { "dom", "/cwd", "bridge0",
		"vif-bridge" };
	struct domcfg d;

	assert_int_equal(parse(f, text), 0);
	if (domcfg_read(f->cfg, &dflt, &d) != 0)
		fail_msg("%s", complaints(f, DIAG_ERROR));
	memset(d.uuid, 0xab, sizeof(d.uuid));
	return d;
}

/* A line a node: rights, path, value. */
static const char *
plan(struct fixture *f, const struct nodes *n)
{
	static const char rights[] = {
		[NODE_INHERIT] = ' ',
		[NODE_PRIVATE] = 'P',
		[NODE_SHOWN] = 'S',
		[NODE_GUEST] = 'G',
	};
	const char *text = "";

	for (size_t i = 0; i < n->count; i++)
		text = arena_printf(f->mem, "%s%c %s%s%s\n", text,
		    rights[n->node[i].rights], n->node[i].path,
		    n->node[i].value != NULL ? " = " : "/",
		    n->node[i].value != NULL ? n->node[i].value : "");
	return text;
}

static void
a_domain_has_the_nodes_that_libxl_writes(void **state)
{
	static const struct nodes_rings rings = { 11, 1, 12, 2 };
	struct fixture *f = *state;
	struct domcfg d = domain_of(f,
	    "kernel='/k'\nmemory=2\nmaxmem=4\nvcpus=1\nmaxvcpus=2\n"
	    "type='pvh'\nextra='-s'\n");
	struct nodes n = nodes_start(f->mem, 7);

	nodes_add_domain(&n, &d, &rings, "1000.5");
	assert_string_equal(plan(f, &n),
	    "S /local/domain/7/\n"
	    "S /vm/abababab-abab-abab-abab-abababababab/\n"
	    "  /vm/abababab-abab-abab-abab-abababababab/uuid = "
	    "abababab-abab-abab-abab-abababababab\n"
	    "  /vm/abababab-abab-abab-abab-abababababab/name = dom\n"
	    "  /vm/abababab-abab-abab-abab-abababababab/image/ostype = "
	    "linux\n"
	    "  /vm/abababab-abab-abab-abab-abababababab/image/kernel = /k\n"
	    "  /vm/abababab-abab-abab-abab-abababababab/image/cmdline = -s\n"
	    "  /vm/abababab-abab-abab-abab-abababababab/start_time = "
	    "1000.5\n"
	    "P /libxl/7/\n"
	    "  /libxl/7/type = pvh\n"
	    "  /libxl/7/dm-version = qemu_xen\n"
	    "  /local/domain/7/vm = "
	    "/vm/abababab-abab-abab-abab-abababababab\n"
	    "  /local/domain/7/name = dom\n"
	    "S /local/domain/7/cpu/\n"
	    "  /local/domain/7/cpu/0/availability = online\n"
	    "  /local/domain/7/cpu/1/availability = offline\n"
	    "S /local/domain/7/memory/\n"
	    "  /local/domain/7/memory/static-max = 4096\n"
	    "  /local/domain/7/memory/target = 2048\n"
	    "  /local/domain/7/memory/videoram = 0\n"
	    "S /local/domain/7/device/\n"
	    "G /local/domain/7/device/suspend/event-channel = \n"
	    "S /local/domain/7/control/\n"
	    "G /local/domain/7/control/shutdown = \n"
	    "G /local/domain/7/control/feature-poweroff = \n"
	    "G /local/domain/7/control/feature-reboot = \n"
	    "G /local/domain/7/control/feature-halt = \n"
	    "G /local/domain/7/control/feature-suspend = \n"
	    "G /local/domain/7/control/sysrq = \n"
	    "  /local/domain/7/control/"
	    "platform-feature-multiprocessor-suspend = 1\n"
	    "  /local/domain/7/control/platform-feature-xs_reset_watches "
	    "= 1\n"
	    "G /local/domain/7/data/\n"
	    "G /local/domain/7/drivers/\n"
	    "G /local/domain/7/feature/\n"
	    "G /local/domain/7/attr/\n"
	    "G /local/domain/7/error/\n"
	    "  /local/domain/7/domid = 7\n"
	    "  /local/domain/7/store/port = 1\n"
	    "  /local/domain/7/store/ring-ref = 11\n"
	    "S /local/domain/7/console/\n"
	    "  /local/domain/7/console/backend = "
	    "/local/domain/0/backend/console/7/0\n"
	    "  /local/domain/7/console/backend-id = 0\n"
	    "  /local/domain/7/console/limit = 1048576\n"
	    "  /local/domain/7/console/type = xenconsoled\n"
	    "  /local/domain/7/console/output = pty\n"
	    "P /local/domain/7/console/tty = \n"
	    "  /local/domain/7/console/port = 2\n"
	    "  /local/domain/7/console/ring-ref = 12\n"
	    "S /local/domain/0/backend/console/7/0/\n"
	    "  /local/domain/0/backend/console/7/0/frontend = "
	    "/local/domain/7/console\n"
	    "  /local/domain/0/backend/console/7/0/frontend-id = 7\n"
	    "  /local/domain/0/backend/console/7/0/online = 1\n"
	    "  /local/domain/0/backend/console/7/0/state = 1\n"
	    "  /local/domain/0/backend/console/7/0/protocol = vt100\n");
}

static const char *
without_mirror(struct fixture *f, const struct nodes *n)
{
	struct nodes kept = nodes_start(f->mem, n->domid);

	kept.node = arena_zalloc(f->mem, n->count * sizeof(*kept.node));
	for (size_t i = 0; i < n->count; i++) {
		if (strncmp(n->node[i].path, "/libxl/", 7) != 0)
			kept.node[kept.count++] = n->node[i];
	}
	return plan(f, &kept);
}

static void
a_disk_has_the_nodes_that_libxl_writes(void **state)
{
	struct fixture *f = *state;
	struct domcfg d =
	    domain_of(f, "kernel='/k'\nmemory=2\ndisk=['file:/d/a,hda1,r']\n");
	struct nodes n = nodes_start(f->mem, 7);

	nodes_add_vbd(&n, &d.disk[0], "/s");
	assert_string_equal(without_mirror(f, &n),
	    "G /local/domain/7/device/vbd/769/\n"
	    "  /local/domain/7/device/vbd/769/backend = "
	    "/local/domain/0/backend/vbd/7/769\n"
	    "  /local/domain/7/device/vbd/769/backend-id = 0\n"
	    "S /local/domain/0/backend/vbd/7/769/\n"
	    "  /local/domain/0/backend/vbd/7/769/frontend = "
	    "/local/domain/7/device/vbd/769\n"
	    "  /local/domain/7/device/vbd/769/virtual-device = 769\n"
	    "  /local/domain/7/device/vbd/769/device-type = disk\n"
	    "  /local/domain/0/backend/vbd/7/769/params = /d/a\n"
	    "  /local/domain/0/backend/vbd/7/769/script = /s/block\n"
	    "  /local/domain/0/backend/vbd/7/769/frontend-id = 7\n"
	    "  /local/domain/0/backend/vbd/7/769/online = 1\n"
	    "  /local/domain/0/backend/vbd/7/769/removable = 0\n"
	    "  /local/domain/0/backend/vbd/7/769/bootable = 1\n"
	    "  /local/domain/0/backend/vbd/7/769/dev = hda1\n"
	    "  /local/domain/0/backend/vbd/7/769/type = phy\n"
	    "  /local/domain/0/backend/vbd/7/769/mode = r\n"
	    "  /local/domain/0/backend/vbd/7/769/device-type = disk\n"
	    "  /local/domain/0/backend/vbd/7/769/discard-enable = 0\n"
	    "  /local/domain/0/backend/vbd/7/769/specification = xen\n"
	    "  /local/domain/0/backend/vbd/7/769/state = 1\n"
	    "  /local/domain/7/device/vbd/769/state = 1\n");
}

static void
an_interface_has_the_nodes_that_libxl_writes(void **state)
{
	struct fixture *f = *state;
	struct domcfg d =
	    domain_of(f, "kernel='/k'\nmemory=2\n"
			 "vif=['mac=00:16:3e:00:00:09,ip=10.0.0.1,mtu=1400,"
			 "rate=1MB/s@20ms,script=/x/vif-nat,vifname=v']\n");
	struct nodes n = nodes_start(f->mem, 7);

	nodes_add_vif(&n, &d.vif[0], "/s");
	assert_string_equal(without_mirror(f, &n),
	    "G /local/domain/7/device/vif/0/\n"
	    "  /local/domain/7/device/vif/0/backend = "
	    "/local/domain/0/backend/vif/7/0\n"
	    "  /local/domain/7/device/vif/0/backend-id = 0\n"
	    "S /local/domain/0/backend/vif/7/0/\n"
	    "  /local/domain/0/backend/vif/7/0/frontend = "
	    "/local/domain/7/device/vif/0\n"
	    "  /local/domain/7/device/vif/0/handle = 0\n"
	    "  /local/domain/7/device/vif/0/mac = 00:16:3e:00:00:09\n"
	    "  /local/domain/7/device/vif/0/mtu = 1400\n"
	    "  /local/domain/0/backend/vif/7/0/frontend-id = 7\n"
	    "  /local/domain/0/backend/vif/7/0/online = 1\n"
	    "  /local/domain/0/backend/vif/7/0/script = /x/vif-nat\n"
	    "  /local/domain/0/backend/vif/7/0/vifname = v\n"
	    "  /local/domain/0/backend/vif/7/0/mac = 00:16:3e:00:00:09\n"
	    "  /local/domain/0/backend/vif/7/0/ip = 10.0.0.1\n"
	    "  /local/domain/0/backend/vif/7/0/rate = 20000,20000\n"
	    "  /local/domain/0/backend/vif/7/0/bridge = bridge0\n"
	    "  /local/domain/0/backend/vif/7/0/handle = 0\n"
	    "  /local/domain/0/backend/vif/7/0/type = vif\n"
	    "  /local/domain/0/backend/vif/7/0/hotplug-status = \n"
	    "  /local/domain/0/backend/vif/7/0/state = 1\n"
	    "  /local/domain/7/device/vif/0/state = 1\n");
}

/* What the guest can write to must not be what the toolstack goes by. */
static void
the_mirror_repeats_the_backend_and_is_private(void **state)
{
	struct fixture *f = *state;
	struct domcfg d = domain_of(
	    f, "kernel='/k'\nmemory=2\ndisk=['file:/d/a,0x1,w']\nvif=['']\n");
	struct nodes n = nodes_start(f->mem, 7);
	size_t backend = 0, mirror = 0;

	nodes_add_vbd(&n, &d.disk[0], "/s");
	nodes_add_vif(&n, &d.vif[0], "/s");
	for (size_t i = 0; i < n.count; i++) {
		const char *path = n.node[i].path;

		backend += strncmp(path, "/local/domain/0/backend/", 24) == 0;
		mirror += strncmp(path, "/libxl/7/device/", 16) == 0;
		if (strncmp(path, "/libxl/", 7) == 0)
			assert_true(n.node[i].rights == NODE_PRIVATE ||
				    n.node[i].rights == NODE_INHERIT);
		/* The guest owns nothing outside of its frontends. */
		if (n.node[i].rights == NODE_GUEST)
			assert_memory_equal(
			    path, "/local/domain/7/device/", 23);
	}
	/* The mirror has "backend" besides. */
	assert_int_equal(mirror, backend + 2);
	assert_string_equal(n.node[0].path, "/libxl/7/device/vbd/1");
	assert_int_equal(n.node[0].rights, NODE_PRIVATE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_domain_has_the_nodes_that_libxl_writes),
		T(a_disk_has_the_nodes_that_libxl_writes),
		T(an_interface_has_the_nodes_that_libxl_writes),
		T(the_mirror_repeats_the_backend_and_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
