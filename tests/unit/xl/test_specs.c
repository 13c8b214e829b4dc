#include "xl_test.h"

#include "tools/xl/diskspec.h"
#include "tools/xl/vdev.h"
#include "tools/xl/vifspec.h"

struct vdev_case {
	const char *text;
	uint32_t number;
	const char *name; /* what the number is called; NULL: TEXT itself */
};

static void
names_of_disks_have_their_numbers(void **state)
{
	static const struct vdev_case cases[] = {
		{ "xvda", 51712, NULL },
		{ "xvda1", 51713, NULL },
		{ "xvdp15", 51967, NULL },
		{ "xvdb", 51728, NULL },
		{ "xvdq", 268439552, NULL },
		{ "xvda16", 268435472, NULL },
		{ "xvdaa", 268442112, NULL },
		{ "d0", 51712, "xvda" },
		{ "d0p1", 51713, "xvda1" },
		{ "d16p3", 268439555, "xvdq3" },
		{ "hda", 768, NULL },
		{ "hda1", 769, NULL },
		{ "hdb", 832, NULL },
		{ "hdc", 5632, NULL },
		{ "hdd", 5696, NULL },
		{ "hdd63", 5759, NULL },
		{ "hde", 8448, NULL },
		{ "hdt", 23360, NULL },
		{ "sda", 2048, NULL },
		{ "sda1", 2049, NULL },
		{ "sdp15", 2303, NULL },
		{ "sdq", 16640, NULL },
		{ "sdiv", 34800, NULL },
		{ "/dev/hda1", 769, "hda1" },
		{ "0", 0, NULL },
		{ "00", 0, "0" },
		{ "1", 1, NULL },
		{ "0x0", 0, "0" },
		{ "0x1", 1, "1" },
		{ "0x01", 1, "1" },
		{ "6", 6, NULL },
		{ "0x300", 768, "hda" },
		{ "0x301", 769, "hda1" },
		{ "769", 769, "hda1" },
		{ "51712", 51712, "xvda" },
	};
	char name[VDEV_NAME_MAX];
	const char *why;
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vdev_parse(cases[i].text, &n, &why), 0);
		assert_int_equal(n, cases[i].number);
		vdev_format(n, name);
		assert_string_equal(name,
		    cases[i].name != NULL ? cases[i].name : cases[i].text);
	}
}

static void
what_is_no_disk_name_is_refused(void **state)
{
	static const char *const bad[] = { "", "xvd", "xvda0", "xvda256",
		"xvdA", "hda64", "hdu", "hd1", "sda16", "sdiw", "sd", "d0p",
		"d", "dp1", "d0p256", "d1048576", "xvdzzzzz", "010", "0x",
		"0xg", "1x", "536870912", "99999999999999999999", "-1", "wd0e",
		"xvda1 ", "/dev/", "da" };
	const char *why;
	uint32_t n = 12345;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_int_equal(vdev_parse(bad[i], &n, &why), -1);
		assert_non_null(why);
		assert_true(strlen(why) > 0);
	}
}

static void
every_number_has_a_name_that_gives_it_back(void **state)
{
	char name[VDEV_NAME_MAX];
	const char *why;
	uint32_t n, back;

	(void)state;
	for (n = 0; n < (1u << 29); n += n < (1u << 17) ? 1 : 997) {
		vdev_format(n, name);
		assert_int_equal(vdev_parse(name, &back, &why), 0);
		assert_int_equal(back, n);
	}
}

struct disk_case {
	const char *text;
	const char *print; /* in the canonical spelling */
};

static void
both_spellings_of_disks_are_read(void **state)
{
	static const struct disk_case cases[] = {
		{ "file:/n0/xen/foo-wd0,0x0,w",
		    "format=raw, vdev=0x0, access=rw, devtype=disk, "
		    "target=/n0/xen/foo-wd0" },
		{ "phy:/dev/wd0e,0x1,w",
		    "format=raw, vdev=0x1, access=rw, devtype=disk, "
		    "target=/dev/wd0e" },
		{ "phy:wd0e,0x1,w",
		    "format=raw, vdev=0x1, access=rw, devtype=disk, "
		    "target=/dev/wd0e" },
		{ "file:disk.img,xvda,w!",
		    "format=raw, vdev=xvda, access=w!, devtype=disk, "
		    "target=/cwd/disk.img" },
		{ "phy:/dev/vnd0d,6:cdrom,r",
		    "format=raw, vdev=6, access=r, devtype=cdrom, "
		    "target=/dev/vnd0d" },
		{ "/d/a,raw,xvda,rw", "format=raw, vdev=xvda, access=rw, "
				      "devtype=disk, target=/d/a" },
		{ "/d/a,,hda", "format=raw, vdev=hda, access=rw, "
			       "devtype=disk, target=/d/a" },
		{ "/d/a, raw, hdc, cdrom", "format=raw, vdev=hdc, access=r, "
					   "devtype=cdrom, target=/d/a" },
		{ ",empty,hdc:cdrom,r", "format=empty, vdev=hdc, access=r, "
					"devtype=cdrom, target=" },
		{ "format=raw, vdev=xvda, access=ro, target=/d/a,b=c",
		    "format=raw, vdev=xvda, access=r, devtype=disk, "
		    "target=/d/a,b=c" },
		{ "vdev=xvdb,backendtype=phy,discard,script=my,target=x:y",
		    "format=raw, vdev=xvdb, access=rw, devtype=disk, "
		    "script=my, target=x:y" },
		{ "tap:aio:/d/a,hda1,w", "format=raw, vdev=hda1, access=rw, "
					 "devtype=disk, target=/d/a" },
		{ "iscsi:iqn.2001-05:x,sda,w",
		    "format=raw, vdev=sda, access=rw, devtype=disk, "
		    "script=block-iscsi, target=iqn.2001-05:x" },
		{ "file:/d/with=equals,xvda,r",
		    "format=raw, vdev=xvda, access=r, devtype=disk, "
		    "target=/d/with=equals" },
	};
	struct fixture *f = *state;
	struct diskspec d, again;
	const char *why = "";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (diskspec_parse(f->mem, cases[i].text, "/cwd", &d, &why))
			fail_msg("%s: %s", cases[i].text, why);
		assert_string_equal(diskspec_print(f->mem, &d), cases[i].print);
		assert_int_equal(
		    diskspec_parse(f->mem, cases[i].print, "/no", &again, &why),
		    0);
		assert_string_equal(
		    diskspec_print(f->mem, &again), cases[i].print);
		assert_int_equal(again.number, d.number);
		assert_int_equal(again.access, d.access);
	}
}

static void
disks_that_make_no_sense_are_refused_with_a_reason(void **state)
{
	static const struct disk_case cases[] = {
		{ "", "no virtual device is given" },
		{ "file:/a", "no virtual device is given" },
		{ "file:,0x0,w", "no image or device is given" },
		{ "file:/a,wd0,w",
		    "virtual device 'wd0': not the name of a virtual disk "
		    "(xvda, sda1, hda, d0p1) or a number (0x0, 769)" },
		{ "file:/a,0x0,x",
		    "access 'x' must be one of r, ro, w, rw, w!" },
		{ "file:/a,0x0,w,more", "'more' is one field too many" },
		{ "file:/a,0x0:floppy,w",
		    "'floppy' after the virtual device must be cdrom or "
		    "disk" },
		{ "phy:/dev/cd0a,hdc:cdrom,w", "a CD-ROM cannot be writable" },
		{ "qcow2:/a,xvda,w", "'qcow2:' is not supported: only raw "
				     "images are" },
		{ "/a,qcow2,xvda,w",
		    "format 'qcow2' is not supported: only raw is" },
		{ "/a,ext2,xvda,w", "unknown format 'ext2' (raw, empty)" },
		{ "vdev=xvda,acces=w,target=/a",
		    "unknown key 'acces' (did you mean 'access'?)" },
		{ "vdev=xvda,colour=red,target=/a", "unknown key 'colour'" },
		{ "vdev=xvda,backend=other,target=/a",
		    "backends other than domain 0 are not supported" },
		{ "vdev=xvda,backendtype=qdisk,target=/a",
		    "backendtype 'qdisk' is not supported: only phy is" },
		{ "vdev=010,target=/a",
		    "virtual device '010': a number with a leading zero is "
		    "ambiguous: write it in decimal or with 0x" },
	};
	struct fixture *f = *state;
	struct diskspec d = { .vdev = "untouched" };
	const char *why;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    diskspec_parse(f->mem, cases[i].text, "/cwd", &d, &why),
		    -1);
		assert_string_equal(why, cases[i].print);
		assert_string_equal(d.vdev, "untouched");
	}
}

static void
interfaces_are_read_and_printed(void **state)
{
	static const struct disk_case cases[] = {
		{ "", "" },
		{ "mac=aa:00:00:d1:00:09,bridge=bridge0",
		    "mac=aa:00:00:d1:00:09,bridge=bridge0" },
		{ "mac=AA:00:00:50:02:F0, bridge=bridge0",
		    "mac=aa:00:00:50:02:f0,bridge=bridge0" },
		{ " bridge = br1 , script=vif-nat,ip=10.0.0.1 10.0.0.2,",
		    "bridge=br1,script=vif-nat,ip=10.0.0.1 10.0.0.2" },
		{ "type=vif,model=e1000,devid=3,mtu=1400,vifname=x0",
		    "vifname=x0,devid=3,mtu=1400" },
		{ "rate=10Mb/s@20ms", "rate=10Mb/s@20ms" },
	};
	struct fixture *f = *state;
	struct vifspec v;
	const char *why = "";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (vifspec_parse(f->mem, cases[i].text, &v, &why) != 0)
			fail_msg("%s: %s", cases[i].text, why);
		assert_string_equal(vifspec_print(f->mem, &v), cases[i].print);
		assert_int_equal(
		    vifspec_parse(f->mem, cases[i].print, &v, &why), 0);
		assert_string_equal(vifspec_print(f->mem, &v), cases[i].print);
	}
}

static void
rates_are_bytes_in_an_interval(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		uint32_t usec;
	} cases[] = {
		{ "rate=1MB/s@20ms", 20000, 20000 },
		{ "rate=10Mb/s", 62500, 50000 },
		{ "rate=1GB/s@1s", 1000000000, 1000000 },
		{ "rate=250KB/s@100us", 25, 100 },
	};
	struct fixture *f = *state;
	struct vifspec v;
	const char *why;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    vifspec_parse(f->mem, cases[i].text, &v, &why), 0);
		assert_int_equal(v.rate_bytes, cases[i].bytes);
		assert_int_equal(v.rate_usec, cases[i].usec);
	}
}

static void
interfaces_that_make_no_sense_are_refused_with_a_reason(void **state)
{
	static const struct disk_case cases[] = {
		{ "mac=aa:00:00:d1:00",
		    "mac 'aa:00:00:d1:00' must be six pairs of hex digits, "
		    "and not a group address" },
		{ "mac=ab:00:00:d1:00:09",
		    "mac 'ab:00:00:d1:00:09' must be six pairs of hex "
		    "digits, and not a group address" },
		{ "brigde=bridge0",
		    "unknown key 'brigde' (did you mean 'bridge'?)" },
		{ "bridge0", "'bridge0' is not of the form key=value" },
		{ "bridge=", "bridge '' is not a valid name" },
		{ "bridge=a b", "bridge 'a b' is not a valid name" },
		{ "bridge=$(reboot)", "bridge '$(reboot)' is not a valid "
				      "name" },
		{ "bridge=sixteen-letters0",
		    "bridge 'sixteen-letters0' is not a valid name" },
		{ "devid=65536", "devid '65536' must be a number up to "
				 "65535" },
		{ "mtu=10", "mtu must be at least 68" },
		{ "rate=10", "rate '10' must look like 10Mb/s or 1MB/s@20ms" },
		{ "rate=1b/s@1us", "rate '1b/s@1us' must look like 10Mb/s or "
				   "1MB/s@20ms" },
		{ "rate=1GB/s@5000000s",
		    "rate '1GB/s@5000000s' must look like 10Mb/s or "
		    "1MB/s@20ms" },
		{ "type=ioemu",
		    "type 'ioemu' is not supported: it needs a device "
		    "model" },
		{ "ip=1.2.3.4;reboot", "ip '1.2.3.4;reboot' must be addresses "
				       "with blanks between them" },
	};
	struct fixture *f = *state;
	struct vifspec v = { .mtu = 4321 };
	const char *why;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    vifspec_parse(f->mem, cases[i].text, &v, &why), -1);
		assert_string_equal(why, cases[i].print);
		assert_int_equal(v.mtu, 4321);
	}
}

static void
made_up_macs_are_in_xens_range_and_not_group_addresses(void **state)
{
	const uint8_t random[3] = { 0xff, 0x12, 0x34 };
	char text[VIFSPEC_MAC_TEXT];
	uint8_t mac[6];

	(void)state;
	vifspec_make_mac(random, mac);
	vifspec_format_mac(mac, text);
	assert_string_equal(text, "00:16:3e:7f:12:34");
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_of_disks_have_their_numbers),
		T(what_is_no_disk_name_is_refused),
		T(every_number_has_a_name_that_gives_it_back),
		T(both_spellings_of_disks_are_read),
		T(disks_that_make_no_sense_are_refused_with_a_reason),
		T(interfaces_are_read_and_printed),
		T(rates_are_bytes_in_an_interval),
		T(interfaces_that_make_no_sense_are_refused_with_a_reason),
		T(made_up_macs_are_in_xens_range_and_not_group_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
