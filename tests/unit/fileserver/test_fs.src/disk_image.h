/* A disk for fs.c that is an image file, and whose writes can fail. */
#ifndef TEST_DISK_IMAGE_H
#define TEST_DISK_IMAGE_H

/* Unit 0 is the file IMAGE from now on. */
void disk_image_use(const char *image);

/* The Nth write from now on fails, once; 0: none does. */
void disk_image_fail(unsigned int n);

/* How many writes there were since the last disk_image_fail(). */
unsigned int disk_image_writes(void);

#endif
