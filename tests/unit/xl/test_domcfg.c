#include "xl_test.h"

#include <limits.h>

#include "tools/xl/domcfg.h"

static const struct domcfg_defaults defaults = {
	.name = "dom",
	.cwd = "/cwd",
	.bridge = "bridge0",
	.vif_script = "vif-bridge",
};

/* The fixtures lie beside this file; the tests run in the project's root. */
static const char *
fixture_file(struct fixture *f, const char *name)
{
	const char *slash = strrchr(__FILE__, '/');

	return arena_printf(f->mem, "%.*s/fixtures/%s", (int)(slash - __FILE__),
	    __FILE__, name);
}

static struct domcfg
read_fixture(struct fixture *f, const char *name)
{
	struct domcfg_defaults dflt = defaults;
	struct domcfg d;

	dflt.name = name;
	assert_int_equal(cfg_parse_file(f->cfg, fixture_file(f, name)), 0);
	if (domcfg_read(f->cfg, &dflt, &d) != 0)
		fail_msg("%s", complaints(f, DIAG_ERROR));
	return d;
}

/* The HOWTO's minimal example: no name, so the file's. */
static void
foo_parses_verbatim(void **state)
{
	struct domcfg d = read_fixture(*state, "foo");
	char mac[VIFSPEC_MAC_TEXT];

	assert_string_equal(d.name, "foo");
	assert_string_equal(d.kernel, "/netbsd-XEN3PAE_DOMU-i386-foo.gz");
	assert_int_equal(d.memory_kib, 1024 * 1024);
	assert_int_equal(d.max_memory_kib, 1024 * 1024);
	assert_int_equal(d.vcpus, 1);
	assert_int_equal(d.vifs, 1);
	vifspec_format_mac(d.vif[0].mac, mac);
	assert_string_equal(mac, "aa:00:00:d1:00:09");
	assert_string_equal(d.vif[0].bridge, "bridge0");
	assert_int_equal(d.vif[0].handle, 0);
	assert_int_equal(d.disks, 2);
	assert_string_equal(d.disk[0].target, "/n0/xen/foo-wd0");
	assert_int_equal(d.disk[0].number, 0);
	assert_string_equal(d.disk[1].target, "/n0/xen/foo-wd1");
	assert_int_equal(d.disk[1].number, 1);
	assert_int_equal(d.disk[1].access, DISK_READ_WRITE);
	assert_string_equal(d.cmdline, "");
	assert_int_equal(d.on[DOMCFG_ON_POWEROFF], DOMCFG_DESTROY);
	assert_int_equal(d.on[DOMCFG_ON_REBOOT], DOMCFG_RESTART);
	assert_int_equal(d.on[DOMCFG_ON_CRASH], DOMCFG_DESTROY);
}

static void
nbsd_parses_verbatim(void **state)
{
	struct domcfg d = read_fixture(*state, "nbsd");

	assert_string_equal(d.name, "nbsd");
	assert_int_equal(d.memory_kib, 128 * 1024);
	assert_int_equal(d.vifs, 1);
	assert_string_equal(d.cmdline, "root=xbd0");
	assert_int_equal(d.disks, 1);
	assert_string_equal(d.disk[0].target, "/dev/wd0e");
	assert_int_equal(d.disk[0].number, 1);
}

/* With the alternatives that its comments offer. */
static void
the_commented_lines_of_nbsd_parse_as_well(void **state)
{
	struct fixture *f = *state;
	struct domcfg d;

	assert_int_equal(cfg_parse_file(f->cfg, fixture_file(f, "nbsd")), 0);
	assert_int_equal(
	    parse(f, "disk = [ 'file:/var/xen/nbsd-disk,0x301,w' ]\n"
		     "extra = \"\"\nautorestart = True\n"),
	    0);
	assert_int_equal(domcfg_read(f->cfg, &defaults, &d), 0);
	assert_int_equal(d.disk[0].number, 769);
	assert_string_equal(d.cmdline, "root=xbd0");
	assert_int_equal(d.on[DOMCFG_ON_POWEROFF], DOMCFG_RESTART);
	assert_int_equal(d.on[DOMCFG_ON_CRASH], DOMCFG_RESTART);
	assert_non_null(strstr(
	    complaints(f, DIAG_WARNING), "warning: 'autorestart' is old"));
}

static void
the_other_examples_of_the_howto_parse(void **state)
{
	struct fixture *f = *state;
	struct domcfg d = read_fixture(f, "solaris-install");

	assert_int_equal(d.disks, 2);
	assert_true(d.disk[1].cdrom);
	assert_int_equal(d.disk[1].number, 6);
	assert_string_equal(d.ramdisk, "/root/solaris/x86.microroot");
	assert_string_equal(d.cmdline, "/platform/i86xpv/kernel/amd64/unix "
				       "- nowin -B install_media=cdrom");

	d = read_fixture(f, "solaris");
	assert_int_equal(d.disks, 1);
	assert_non_null(strstr(d.cmdline, "bootpath=\"/xpvd/xdf@0:a\""));

	fixture_teardown(state);
	fixture_setup(state);
	d = read_fixture(*state, "linux");
	assert_string_equal(d.name, "linux");
	assert_int_equal(d.disk[0].number, 768);
	assert_string_equal(d.cmdline, "root=/dev/hda1 ro xencons=tty1");
	assert_int_equal(d.memory_kib, 128 * 1024);

	fixture_teardown(state);
	fixture_setup(state);
	d = read_fixture(*state, "cdrom");
	assert_int_equal(d.disks, 2);
	/* Seen by NetBSD as a disk: as a CD-ROM it would be skipped. */
	assert_false(d.disk[1].cdrom);
	assert_int_equal(d.disk[1].access, DISK_READ_ONLY);
}

struct bad_case {
	const char *text;
	const char *says;
};

static void
each_mistake_is_one_line_with_its_place(void **state)
{
	static const struct bad_case cases[] = {
		{ "kernel='/k'\nmemroy=1\nmemory=1\n",
		    "dom:2:1: unknown key 'memroy' (did you mean "
		    "'memory'?)\n" },
		{ "kernel='/k'\nmemory=1\nfrobnicate='x'\n",
		    "dom:3:1: unknown key 'frobnicate'\n" },
		{ "memory=1\n", "configuration: 'kernel' is missing\n" },
		{ "kernel='/k'\nmemory=0\n",
		    "dom:2:8: 'memory' must be from 1 to 16777216, not 0\n" },
		{ "kernel='/k'\nmemory='1g'\n",
		    "dom:2:8: 'memory' must be a number\n" },
		{ "kernel='/k'\nmemory=64\nmaxmem=32\n",
		    "dom:3:8: 'maxmem' is less than 'memory'\n" },
		{ "kernel='/k'\nmemory=1\nvcpus=4\nmaxvcpus=2\n",
		    "dom:4:10: 'maxvcpus' is less than 'vcpus'\n" },
		{ "kernel='/k'\nmemory=1\nname='a/b'\n",
		    "dom:3:6: name 'a/b': a domain's name has only letters, "
		    "digits and -_.:+\n" },
		{ "kernel='/k'\nmemory=1\nname='17'\n",
		    "dom:3:6: name '17': a domain's name cannot be all "
		    "digits: it would be taken for a domain's number\n" },
		{ "kernel='/k'\nmemory=1\nuuid='x'\n",
		    "dom:3:6: 'x' is not a uuid\n" },
		{ "kernel='/k'\nmemory=1\ntype='vm'\n",
		    "dom:3:6: 'type' must be one of pv, pvh, hvm\n" },
		{ "kernel='/k'\nmemory=1\non_crash='explode'\n",
		    "dom:3:10: 'on_crash' must be one of destroy, restart, "
		    "rename-restart, preserve, coredump-destroy, "
		    "coredump-restart\n" },
		{ "kernel='/k'\nmemory=1\ndisk=['file:/a,0x1,w',\n"
		  "'file:/b,0x01,w']\n",
		    "dom:4:1: disk: '0x01' is the same virtual device as "
		    "'0x1'\n" },
		{ "kernel='/k'\nmemory=1\ndisk='file:/a,0x1,w'\n",
		    "dom:3:6: 'disk' must be a list: disk = [ '...' ]\n" },
		{ "kernel='/k'\nmemory=1\nvif=['devid=1', '']\n",
		    "dom:3:17: vif: devid 1 is used twice\n" },
		{ "kernel='/k'\nmemory=1\nvif=['mac=00:00:00:00:00:02',\n"
		  "'mac=00:00:00:00:00:02']\n",
		    "dom:4:1: vif: the same mac is used twice\n" },
		{ "kernel='/k'\nmemory=1\npci=['0000:00:06.0']\n",
		    "dom:3:1: 'pci' is not supported\n" },
		{ "bootloader='pygrub'\nmemory=1\n",
		    "dom:1:1: 'bootloader' is not supported\n" },
	};
	struct domcfg d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f;

		fixture_teardown(state);
		fixture_setup(state);
		f = *state;
		assert_int_equal(parse(f, cases[i].text), 0);
		assert_int_equal(domcfg_read(f->cfg, &defaults, &d), -1);
		assert_string_equal(complaints(f, DIAG_ERROR), cases[i].says);
	}
}

static void
all_mistakes_of_a_file_are_reported_in_its_order(void **state)
{
	struct fixture *f = *state;
	struct domcfg d;

	assert_int_equal(parse(f, "vif = [ 'mac=1' ]\nvcpus = 0\n"
				  "disk = [ 'x' ]\nkernal = '/k'\n"),
	    0);
	assert_int_equal(domcfg_read(f->cfg, &defaults, &d), -1);
	assert_string_equal(complaints(f, DIAG_ERROR),
	    "dom:1:9: vif: mac '1' must be six pairs of hex digits, and not "
	    "a group address\n"
	    "dom:2:9: 'vcpus' must be from 1 to 32, not 0\n"
	    "dom:3:10: disk: no virtual device is given\n"
	    "dom:4:1: unknown key 'kernal' (did you mean 'kernel'?)\n"
	    "configuration: 'kernel' is missing\n");
}

static void
keys_without_effect_are_warned_about_only(void **state)
{
	struct fixture *f = *state;
	struct domcfg d;

	assert_int_equal(parse(f, "kernel='/k'\nmemory=1\ncpu_weight=256\n"
				  "pci=[]\nbootloader=''\nvnc=0\n"),
	    0);
	assert_int_equal(domcfg_read(f->cfg, &defaults, &d), 0);
	assert_string_equal(complaints(f, DIAG_WARNING),
	    "dom:3:1: warning: 'cpu_weight' has no effect here\n"
	    "dom:6:1: warning: 'vnc' has no effect here\n");
	assert_string_equal(complaints(f, DIAG_ERROR), "");
}

static void
nics_pads_the_list_of_interfaces(void **state)
{
	struct fixture *f = *state;
	struct domcfg d;

	assert_int_equal(parse(f, "kernel='/k'\nmemory=1\nnics=3\n"
				  "vif=['bridge=b7']\n"),
	    0);
	assert_int_equal(domcfg_read(f->cfg, &defaults, &d), 0);
	assert_int_equal(d.vifs, 3);
	assert_string_equal(d.vif[0].bridge, "b7");
	assert_string_equal(d.vif[2].bridge, "bridge0");
	assert_int_equal(d.vif[2].handle, 2);
}

static void
relative_paths_start_in_the_working_directory(void **state)
{
	struct fixture *f = *state;
	struct domcfg d;

	assert_int_equal(parse(f, "kernel='k.gz'\nmemory=1\n"
				  "disk=['file:a,0x0,w']\n"),
	    0);
	assert_int_equal(domcfg_read(f->cfg, &defaults, &d), 0);
	assert_string_equal(d.kernel, "/cwd/k.gz");
	assert_string_equal(d.disk[0].target, "/cwd/a");
}

static void
not_so_random(void *arg, void *buf, size_t len)
{
	memset(buf, (*(int *)arg)++, len);
}

/* What a restart uses: no default and no chance is left in it. */
static void
a_sealed_configuration_gives_the_same_domain_again(void **state)
{
	static const struct domcfg_defaults other = { "x", "/x", "x", "x" };
	struct fixture *f = *state;
	struct cfg *again = cfg_new(f->mem, f->diag);
	struct domcfg d, e;
	const char *text;
	int chance = 0x42;

	assert_int_equal(parse(f, "kernel='k'\nmemory=8\nextra='a \"b\" c'\n"
				  "vif=['', 'mac=00:16:3e:00:00:01']\n"
				  "disk=['file:a,0x0,w', ',empty,1:cdrom,r']\n"
				  "on_crash='preserve'\n"),
	    0);
	assert_int_equal(domcfg_read(f->cfg, &defaults, &d), 0);
	domcfg_complete(&d, not_so_random, &chance);
	domcfg_seal(&d, f->cfg);
	text = cfg_print(f->cfg);
	assert_int_equal(cfg_parse(again, "again", text, strlen(text)), 0);
	assert_int_equal(domcfg_read(again, &other, &e), 0);
	assert_string_equal(complaints(f, DIAG_ERROR), "");
	assert_memory_equal(e.uuid, d.uuid, 16);
	assert_int_equal(e.uuid[6] >> 4, 4);
	assert_string_equal(e.name, "dom");
	assert_string_equal(e.kernel, "/cwd/k");
	assert_string_equal(e.cmdline, "a \"b\" c");
	assert_int_equal(e.on[DOMCFG_ON_CRASH], DOMCFG_PRESERVE);
	assert_int_equal(e.vifs, 2);
	assert_memory_equal(e.vif[0].mac, d.vif[0].mac, 6);
	assert_int_equal(e.vif[0].mac[3], 0x43);
	assert_string_equal(e.vif[0].bridge, "bridge0");
	assert_int_equal(e.disks, 2);
	assert_string_equal(e.disk[0].target, "/cwd/a");
	assert_true(e.disk[1].cdrom);
}

static void
uuids_go_there_and_back(void **state)
{
	const char *text = "00112233-4455-6677-8899-aabbccddeeff";
	char back[DOMCFG_UUID_TEXT];
	uint8_t uuid[16], same[16];

	(void)state;
	assert_int_equal(domcfg_parse_uuid(text, uuid), 0);
	domcfg_format_uuid(uuid, back);
	assert_string_equal(back, text);
	assert_int_equal(
	    domcfg_parse_uuid("00112233445566778899AABBCCDDEEFF", same), 0);
	assert_memory_equal(same, uuid, 16);
	assert_int_equal(domcfg_parse_uuid("", same), -1);
	assert_int_equal(domcfg_parse_uuid("0011223344556677-", same), -1);
	assert_int_equal(
	    domcfg_parse_uuid("00112233-4455-6677-8899-aabbccddeefff", same),
	    -1);
	assert_memory_equal(same, uuid, 16);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(foo_parses_verbatim),
		T(nbsd_parses_verbatim),
		T(the_commented_lines_of_nbsd_parse_as_well),
		T(the_other_examples_of_the_howto_parse),
		T(each_mistake_is_one_line_with_its_place),
		T(all_mistakes_of_a_file_are_reported_in_its_order),
		T(keys_without_effect_are_warned_about_only),
		T(nics_pads_the_list_of_interfaces),
		T(relative_paths_start_in_the_working_directory),
		T(a_sealed_configuration_gives_the_same_domain_again),
		T(uuids_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
