/* Calls on files that fail as a disk's do. Preloaded into a node:
 *
 *   FAIL_UNDER   only files whose path begins so
 *   FAIL_CALL    sync (fdatasync, fsync) or write (write, pwrite64, pwrite)
 *   FAIL_NTH     the nth such call after arming fails; FAIL_ALL=1: all from there on
 *   FAIL_ERRNO   with this error
 *   FAIL_ARM     nothing is counted before this file is there
 *   SLOW_SYNC_US each sync takes so much longer, armed or not
 *
 * A write that fails has written the first half of its pages before, as the page cache may: it takes whole pages or none
 * (a page torn inside itself reads as damage, and is refused by name; see the log's damage tests).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long seen;

static int concerns(int fd) {
    const char *under = getenv("FAIL_UNDER");
    char link[64], path[4096];
    if (!under) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strncmp(path, under, strlen(under)) == 0;
}

static int fails(const char *call, int fd) {
    const char *wanted = getenv("FAIL_CALL"), *arm = getenv("FAIL_ARM");
    if (!wanted || strcmp(wanted, call) || !arm || access(arm, F_OK) || !concerns(fd)) return 0;
    long n = atomic_fetch_add(&seen, 1) + 1, nth = atol(getenv("FAIL_NTH"));
    if (!(n == nth || (n > nth && getenv("FAIL_ALL")))) return 0;
    errno = atoi(getenv("FAIL_ERRNO"));
    return 1;
}

static void slow(int fd) {
    const char *us = getenv("SLOW_SYNC_US");
    if (us && concerns(fd)) usleep(atoi(us));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fdatasync(int fd) { slow(fd); return fails("sync", fd) ? -1 : REAL(fdatasync)(fd); }
int fsync(int fd) { slow(fd); return fails("sync", fd) ? -1 : REAL(fsync)(fd); }

ssize_t write(int fd, const void *bytes, size_t n) {
    if (!fails("write", fd)) return REAL(write)(fd, bytes, n);
    int error = errno;
    ssize_t half = REAL(write)(fd, bytes, n / 2 / 4096 * 4096);
    (void)half;
    errno = error;
    return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    if (!fails("write", fd)) return REAL(pwrite64)(fd, bytes, n, at);
    int error = errno;
    ssize_t half = REAL(pwrite64)(fd, bytes, n / 2 / 4096 * 4096, at);
    (void)half;
    errno = error;
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return pwrite64(fd, bytes, n, at); }
