// SPDX-License-Identifier: GPL-2.0
/*
 * user_page_races SECONDS: runs a process that maps pages of /dev/labyrinth as fast as
 * it can, while its own threads and other processes attack these pages. Status 0 if no
 * page was ever seen by code that must not see it. Otherwise prints what was seen.
 *
 * Each worker stamps the page of its slot, and checks that the stamp stays. A slot
 * always has a mapping of the device: a new mapping replaces the last one in one system
 * call.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE 4096
#define WORDS (SIZE / sizeof(unsigned long))
#define SLOTS 4
/* Addresses at this distance share no page table. */
#define DISTANCE 0x80000000UL

static int device;
static time_t end;
static char *base;
static atomic_ulong rounds, refused, faulted, peeked;

static char *slot(unsigned long n)
{
	return base + n % SLOTS * DISTANCE;
}

static void violation(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static bool time_is_up(void)
{
	return time(NULL) >= end;
}

static unsigned long dice(unsigned long *state)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return *state >> 33;
}

static unsigned long *map(char *where, int flags)
{
	void *page = mmap(where, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | flags, device, 0);

	if (page == MAP_FAILED)
		violation("mmap: %s", strerror(errno));
	return page;
}

/* The compiler must neither omit nor repeat these accesses. */
static unsigned long load(const void *word)
{
	return __atomic_load_n((const unsigned long *)word, __ATOMIC_RELAXED);
}

static void store(unsigned long *word, unsigned long value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static void all_words(const unsigned long *page, unsigned long wanted, const char *when)
{
	for (size_t i = 0; i < WORDS; i++) {
		unsigned long word = load(&page[i]);

		if (word != wanted)
			violation("%s: word %zu is %#lx, not %#lx", when, i, word, wanted);
	}
}

/* Maps a page, stamps it, checks the stamp, and replaces the mapping. */
static void *worker(void *number)
{
	char *mine = slot((unsigned long)number);
	unsigned long state = (unsigned long)number + getpid();

	while (!time_is_up()) {
		unsigned long *page = map(mine, MAP_FIXED);
		unsigned long stamp = (unsigned long)getpid() << 32 | dice(&state) | 1;

		all_words(page, 0, "a new page");
		for (size_t i = 0; i < WORDS; i++)
			store(&page[i], stamp);
		if (dice(&state) % 4 == 0)
			usleep(dice(&state) % 1000);
		all_words(page, stamp, "my page");
		rounds++;
	}
	return NULL;
}

/* Maps pages anywhere and unmaps them, so that the allocator hands out other pages. */
static void *passer_by(void *number)
{
	unsigned long state = (unsigned long)number + getpid();

	while (!time_is_up()) {
		unsigned long *page = map(NULL, 0);

		all_words(page, 0, "a passing page");
		for (size_t i = 0; i < WORDS; i++)
			store(&page[i], ~dice(&state));
		if (munmap(page, SIZE))
			violation("munmap: %s", strerror(errno));
		rounds++;
	}
	return NULL;
}

static void must_fail(long result, int wanted, const char *what)
{
	if (result != -1)
		violation("%s succeeded", what);
	if (errno != wanted)
		violation("%s: %s", what, strerror(errno));
	refused++;
}

/* Tries system calls that could move, drop or duplicate the page of a worker. */
static void *vandal(void *number)
{
	unsigned long state = (unsigned long)number + getpid();
	char *elsewhere = base + SLOTS * DISTANCE;

	while (!time_is_up()) {
		char *page = slot(dice(&state));
		void *moved;

		switch (dice(&state) % 8) {
		case 0:
			moved = mremap(page, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
			must_fail(moved == MAP_FAILED ? -1 : 0, EINVAL, "a move");
			break;
		case 1:
			moved = mremap(page, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
			must_fail(moved == MAP_FAILED ? -1 : 0, EFAULT, "growth");
			break;
		case 2:
			moved = mremap(page, 0, SIZE, MREMAP_MAYMOVE);
			must_fail(moved == MAP_FAILED ? -1 : 0, EFAULT, "a second mapping");
			break;
		case 3:
			must_fail(madvise(page, SIZE, MADV_DONTNEED), EINVAL, "MADV_DONTNEED");
			break;
		case 4:
			must_fail(madvise(page, SIZE, MADV_DOFORK), EINVAL, "MADV_DOFORK");
			break;
		case 5:
			must_fail(mprotect(page, SIZE, PROT_READ | PROT_EXEC), EACCES, "PROT_EXEC");
			break;
		case 6:
			if (mlock(page, SIZE) && errno != ENOMEM && errno != EAGAIN)
				violation("mlock: %s", strerror(errno));
			break;
		default:
			if (mprotect(page, SIZE, PROT_READ | PROT_WRITE))
				violation("mprotect: %s", strerror(errno));
		}
	}
	return NULL;
}

static sigjmp_buf segfault;

static void on_segfault(int signal)
{
	(void)signal;
	siglongjmp(segfault, 1);
}

/* Checks, in the child of a fork, that no slot is mapped. */
static void look_around(void)
{
	/*
	 * This is static, because siglongjmp() may restore an older value of a local
	 * variable.
	 */
	static unsigned long n;

	signal(SIGSEGV, on_segfault);
	for (n = 0; n < SLOTS; n++) {
		if (!sigsetjmp(segfault, 1)) {
			load(slot(n));
			_exit(1);
		}
	}
	_exit(0);
}

static void *forker(void *unused)
{
	while (!time_is_up()) {
		pid_t child = fork();
		int status;

		if (!child)
			look_around();
		if (child < 0)
			violation("fork: %s", strerror(errno));
		if (waitpid(child, &status, 0) != child)
			violation("waitpid: %s", strerror(errno));
		if (status)
			violation("a child has a page of its parent: status %#x", status);
		faulted += SLOTS;
	}
	return unused;
}

/* Tries to read and write slots from another process, which must always fail. */
static void spy(pid_t victim)
{
	unsigned long state = getpid();
	char name[32];
	int memory, wanted;

	snprintf(name, sizeof(name), "/proc/%d/mem", victim);
	memory = open(name, O_RDWR);
	if (memory < 0)
		violation("%s: %s", name, strerror(errno));

	/* A kernel may have no such calls (CONFIG_CROSS_MEMORY_ATTACH). */
	wanted = process_vm_readv(victim, NULL, 0, NULL, 0, 0) ? errno : EFAULT;
	while (!time_is_up()) {
		unsigned long word = 0xbadbadbadbad;
		char *page = slot(dice(&state));
		struct iovec ours = { &word, sizeof(word) }, theirs = { page, sizeof(word) };

		must_fail(process_vm_readv(victim, &ours, 1, &theirs, 1, 0), wanted,
			  "process_vm_readv");
		must_fail(process_vm_writev(victim, &ours, 1, &theirs, 1, 0), wanted,
			  "process_vm_writev");
		must_fail(pread(memory, &word, sizeof(word), (off_t)page), EIO, "a read of mem");
		must_fail(pwrite(memory, &word, sizeof(word), (off_t)page), EIO, "a write of mem");
		peeked++;
	}
	printf("%lu rounds of spying\n", peeked);
	exit(0);
}

/*
 * Stops a thread of the victim again and again, and tries to read and write slots by
 * ptrace().
 */
static void tracer(pid_t victim)
{
	unsigned long state = getpid();

	while (!time_is_up()) {
		int status;

		if (ptrace(PTRACE_ATTACH, victim, NULL, NULL))
			violation("PTRACE_ATTACH: %s", strerror(errno));
		if (waitpid(victim, &status, __WALL) != victim)
			violation("waitpid of the traced: %s", strerror(errno));
		for (int i = 0; i < 16; i++) {
			char *page = slot(dice(&state));

			errno = 0;
			must_fail(ptrace(PTRACE_PEEKDATA, victim, page, NULL), EIO, "a peek");
			must_fail(ptrace(PTRACE_POKEDATA, victim, page, 0xbad), EIO, "a poke");
			peeked++;
		}
		if (ptrace(PTRACE_DETACH, victim, NULL, NULL))
			violation("PTRACE_DETACH: %s", strerror(errno));
		usleep(1000);
	}
	printf("%lu rounds of tracing\n", peeked);
	exit(0);
}

static void thread(void *(*function)(void *number), unsigned long number)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, (void *)number))
		violation("pthread_create failed");
	pthread_detach(thread);
}

static void victim(int ready)
{
	for (unsigned long n = 0; n < SLOTS; n++)
		map(slot(n), MAP_FIXED);
	if (write(ready, "", 1) != 1)
		violation("write: %s", strerror(errno));
	for (unsigned long n = 0; n < SLOTS; n++)
		thread(worker, n);
	thread(passer_by, SLOTS);
	thread(passer_by, SLOTS + 1);
	thread(vandal, SLOTS + 2);
	thread(vandal, SLOTS + 3);
	thread(forker, 0);
	/* The threads are not joined, so the process ends with pages mapped. */
	while (!time_is_up())
		usleep(10000);
	/* The other processes may not have noticed yet that the time is up. */
	sleep(3);
	printf("%lu pages, %lu refusals, %lu faults in children\n", rounds, refused, faulted);
	exit(0);
}

static pid_t start(void (*function)(int number), int number)
{
	pid_t child = fork();

	if (child < 0)
		violation("fork: %s", strerror(errno));
	if (!child)
		function(number);
	return child;
}

int main(int argc, char **argv)
{
	int failures = 0, ready[2], status;
	pid_t prey;
	char byte;

	if (argc != 2) {
		fprintf(stderr, "user_page_races needs a number of seconds\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	end = time(NULL) + atoi(argv[1]);
	device = open("/dev/labyrinth", O_RDWR | O_CLOEXEC);
	if (device < 0)
		violation("/dev/labyrinth: %s", strerror(errno));

	/* Reserve addresses that nothing else uses: only slots are mapped there. */
	base = mmap(NULL, (SLOTS + 1) * DISTANCE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		violation("no space for addresses: %s", strerror(errno));
	if (pipe(ready))
		violation("pipe: %s", strerror(errno));

	prey = start(victim, ready[1]);
	/* A spy that is too early would read an empty slot. */
	if (read(ready[0], &byte, 1) != 1)
		violation("the victim is not ready: %s", strerror(errno));
	start(spy, prey);
	start(tracer, prey);

	while (wait(&status) > 0)
		failures += status != 0;
	return failures != 0;
}
