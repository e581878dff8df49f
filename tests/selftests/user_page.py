#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak soak-debug
# Covers: rust/device rust/page/transfer/user.rs rust/ffi/mm/user_map.rs rust/ffi/misc_device.rs
# Takes: 24 s
"""/dev/labyrinth gives a page to only one process, whatever that process and others try."""

import array
import contextlib
import ctypes
import errno
import hashlib
import os
import re
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

from lib import books, drivers, faults, hwpoison, kmsg, ktap, metrics, module, symbols, tracing
from lib.ktap import Skip

DEVICE = "/dev/labyrinth"
# A driver that has another copy of itself do its work.
FOREIGN = "labyrinth_foreign_x"
PAGE = 4096
HERE = os.path.dirname(os.path.abspath(__file__))
SLOW = os.path.isdir(faults.FOLDER)
ROUNDS = ktap.soak(10 if SLOW else 100, 1000)
RACE_SECONDS = ktap.soak(5, 300)
# With these settings, only mapped pages are allocated.
NO_POOL = {"pool_cache": 0, "pool_reserve": 0}

NONE, READ, WRITE, EXEC = 0, 1, 2, 4
SHARED, PRIVATE, FIXED, ANONYMOUS = 1, 2, 0x10, 0x20
MAYMOVE, MREMAP_FIXED, DONTUNMAP = 1, 2, 4
FAILED = ctypes.c_void_p(-1).value
# An address at which nothing is mapped, and the size that an entry of a top-level page table
# covers.
UNUSED, TOP_LEVEL = 1 << 44, 1 << 39
# System calls by number, as the C library may be older than the kernel.
SYS_USERFAULTFD, SYS_FUTEX = 323, 202
# The advice, by name and number, that a mapping must refuse. It would drop, inherit, merge, move or
# show the page.
REFUSED_ADVICE = {
    "REMOVE": 9, "DONTNEED": 4, "FREE": 8, "DOFORK": 11, "DODUMP": 17, "WIPEONFORK": 18,
    "COLD": 20, "PAGEOUT": 21, "POPULATE_READ": 22, "POPULATE_WRITE": 23, "DONTNEED_LOCKED": 24,
    "COLLAPSE": 25, "HWPOISON": 100, "SOFT_OFFLINE": 101, "GUARD_INSTALL": 102}

libc = ctypes.CDLL(None, use_errno=True)
for name, arguments in {"mmap": "pLiiiL", "mremap": "pLLip"}.items():
    function = getattr(libc, name)
    function.restype = ctypes.c_void_p
    kinds = {"p": ctypes.c_void_p, "L": ctypes.c_size_t, "i": ctypes.c_int}
    function.argtypes = [kinds[kind] for kind in arguments]
for name, arguments in {"munmap": "pL", "madvise": "pLi", "mprotect": "pLi", "mlock": "pL",
                        "munlock": "pL"}.items():
    getattr(libc, name).argtypes = [kinds[kind] for kind in arguments]
libc.syscall.restype = ctypes.c_long
libc.ptrace.restype = ctypes.c_long


def failure(result, bad=-1):
    """Returns the errno of a call, 0 if it succeeded."""
    return ctypes.get_errno() if result == bad else 0


def name_of(number):
    """Returns the name of an errno."""
    return errno.errorcode.get(number, "no error" if number == 0 else str(number))


# The mappings and children of this process. They must end even if a case fails, because they keep
# the module loaded.
_mine = set()
_children = set()


@contextlib.contextmanager
def loaded(**parameters):
    """Loads the module for the length of a block. No page stays mapped."""
    with module.loaded(**parameters):
        try:
            yield
        finally:
            for address in list(_mine):
                unmap(address)
            for child in list(_children):
                os.kill(child.pid, signal.SIGKILL)
                child.wait()


@contextlib.contextmanager
def opened(flags=os.O_RDWR):
    """Opens the device for the length of a block."""
    fd = os.open(DEVICE, flags | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def try_map(fd, length=PAGE, prot=READ | WRITE, flags=SHARED, offset=0, where=None):
    """Returns the errno of an mmap() and the address."""
    address = libc.mmap(where, length, prot, flags, fd, offset)
    return failure(address, FAILED), address


def mapped(fd, **how):
    """Maps a page, which has to work, and gives its address."""
    error, address = try_map(fd, **how)
    assert not error, f"mmap: {name_of(error)}"
    _mine.add(address)
    return address


def unmap(address):
    """Ends a mapping."""
    _mine.discard(address)
    assert libc.munmap(address, PAGE) == 0, os.strerror(ctypes.get_errno())


def contents(address, length=PAGE):
    """Returns the bytes at an address."""
    return ctypes.string_at(address, length)


def fill(address, byte):
    """Writes to the whole page."""
    ctypes.memset(address, byte, PAGE)


def user_pages():
    """Returns how many pages the module reports as mapped."""
    return metrics.Metrics().total("user_pages")


def nothing_mapped():
    """Checks that no page is mapped and that the counts agree."""
    now = metrics.Metrics().check_idle()
    assert now.total("user_pages") == 0, f"{now.total('user_pages')} pages are still mapped"


def wait_until_returned():
    """Waits until no page is mapped. A process without threads has given back its page when its
    parent learns of its death; one with threads may take a moment longer."""
    module.wait_until(lambda: user_pages() == 0, "all pages are back")
    nothing_mapped()


class Child:
    """A process that runs a function. It ends with status 0 if the function returns."""

    def __init__(self, work, *arguments):
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                work(*arguments)
                status = 0
            except BaseException as error:
                print(f"# child: {error!r}", flush=True)
            finally:
                os._exit(status)
        _children.add(self)

    def wait(self):
        """Returns the wait status."""
        _children.discard(self)
        return os.waitpid(self.pid, 0)[1]

    def ok(self):
        """Checks that the child succeeds."""
        status = self.wait()
        assert status == 0, f"the child ended with {status:#x}"


def in_child(work, *arguments):
    """Runs a function in a child, and checks that the child succeeds."""
    Child(work, *arguments).ok()


class Holder(Child):
    """A process that holds a page with a pattern until it is released."""

    def __init__(self, fd, byte=0x5a, then=lambda address: None):
        ours, theirs = socket.socketpair()

        def hold():
            ours.close()
            address = mapped(fd)
            fill(address, byte)
            theirs.send(struct.pack("Q", address))
            theirs.recv(1)
            assert contents(address) == bytes([byte]) * PAGE, "the page was changed"
            then(address)

        super().__init__(hold)
        theirs.close()
        self._pipe = ours
        self.address = struct.unpack("Q", ours.recv(8))[0]

    def release(self):
        """Lets the process continue, and checks that it succeeds."""
        self._pipe.send(b"x")
        self.ok()


def for_root_only():
    """The device has mode 0600, and other users cannot open it."""
    with loaded():
        status = os.stat(DEVICE)
        assert stat.S_ISCHR(status.st_mode), "no character device"
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, 0), oct(status.st_mode)

        def somebody_else():
            os.setgid(65534)
            os.setuid(65534)
            try:
                os.open(DEVICE, os.O_RDWR)
            except PermissionError:
                return
            raise AssertionError("opened by somebody else")

        in_child(somebody_else)
    assert not os.path.exists(DEVICE), f"{DEVICE} outlives the module"


def what_cannot_be_mapped():
    """Other sizes, offsets and kinds of mappings are refused, and nothing is allocated for them."""
    shared, private = {"flags": SHARED}, {"flags": PRIVATE}
    with loaded(), books.kept() as ours, opened() as fd, opened(os.O_RDONLY) as read_only, \
            opened(os.O_WRONLY) as write_only:
        ours.learn()
        before = ours.read()
        for file, how, wanted in [
                (fd, {"length": 0}, errno.EINVAL),
                (fd, {"length": PAGE + 1}, errno.EINVAL),
                (fd, {"length": 2 * PAGE}, errno.EINVAL),
                (fd, {"length": 512 * PAGE}, errno.EINVAL),
                (fd, {"length": 1 << 40}, errno.EINVAL),
                (fd, {"length": 1 << 62}, errno.ENOMEM),
                (fd, {"length": (1 << 64) - 1}, errno.ENOMEM),
                (fd, {"offset": 1}, errno.EINVAL),
                (fd, {"offset": PAGE}, errno.EINVAL),
                (fd, {"offset": 1 << 40}, errno.EINVAL),
                (fd, {"offset": (1 << 63) - PAGE}, errno.EINVAL),
                (fd, {"offset": (1 << 64) - PAGE}, errno.EOVERFLOW),
                (fd, private, errno.EINVAL),
                (fd, {"prot": READ, **private}, errno.EINVAL),
                (read_only, {"prot": READ, **shared}, errno.EACCES),
                (read_only, {"prot": READ | WRITE, **shared}, errno.EACCES),
                (read_only, {"prot": READ, **private}, errno.EINVAL),
                (write_only, shared, errno.EACCES)]:
            error, _ = try_map(file, **how)
            assert error == wanted, f"{how}: {name_of(error)}, not {name_of(wanted)}"
        assert ours.read() == before, "a page was allocated for a mapping that was refused"
        for length in (1, PAGE - 1):
            address = mapped(fd, length=length)
            fill(address, 1)
            unmap(address)
        for call in (lambda: os.read(fd, 1), lambda: os.write(fd, b"x")):
            try:
                call()
            except OSError as error:
                assert error.errno == errno.EINVAL, error
            else:
                raise AssertionError("read or written")
        nothing_mapped()


def zeroed_and_ones_own():
    """A new page is zeroed, whatever others have written. Writes to it do not appear in other
    pages."""
    with loaded(), opened() as fd:
        def many(byte):
            for _ in range(ROUNDS):
                one, two = mapped(fd), mapped(fd)
                assert contents(one) == contents(two) == bytes(PAGE), "not zeroed"
                fill(one, byte)
                assert contents(two) == bytes(PAGE), "two mappings share a page"
                fill(two, byte ^ 0xff)
                assert contents(one) == bytes([byte]) * PAGE, "two mappings share a page"
                unmap(one)
                unmap(two)

        children = [Child(many, byte) for byte in (0xaa, 0x33, 0x0f)]
        for child in children:
            child.ok()
        now = metrics.Metrics()
        pages = 2 * ROUNDS * len(children)
        for kind in ("map_user", "return_user"):
            counted = now.total("transfer_total", transfer=kind, outcome="success")
            assert counted == pages, f"{counted} times {kind}, not {pages}"
        nothing_mapped()


def not_inherited():
    """A child does not have its parent's page, and can have one of its own."""
    with loaded(), opened() as fd:
        address = mapped(fd)
        fill(address, 0x77)
        # Another case tests this flag.
        libc.madvise(address, PAGE, REFUSED_ADVICE["DOFORK"])
        for access in (lambda: contents(address, 1), lambda: ctypes.memset(address, 1, 1)):
            status = Child(access).wait()
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV, \
                f"a child has the page of its parent: status {status:#x}"

        def own():
            mine = mapped(fd, where=address, flags=SHARED | FIXED)
            assert contents(mine) == bytes(PAGE), "not zeroed"
            fill(mine, 0x11)

        in_child(own)
        assert contents(address) == b"\x77" * PAGE, "the child wrote to the page of its parent"
        assert user_pages() == 1, f"{user_pages()} pages mapped"
        unmap(address)
        nothing_mapped()


def over_a_socket():
    """A process that gets the open file through a socket can map a page of its own."""
    with loaded(), opened() as fd:
        address = mapped(fd)
        fill(address, 0x44)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def receive():
            # The child must use the file from the socket, not the inherited one.
            os.close(fd)
            _, ancillary, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
            passed = array.array("i", ancillary[0][2])[0]
            os.setgid(65534)
            os.setuid(65534)
            mine = mapped(passed)
            assert contents(mine) == bytes(PAGE), "not zeroed"
            fill(mine, 0x22)
            assert user_pages_seen.recv(1) == b"2"

        user_pages_seen, tell = socket.socketpair()
        child = Child(receive)
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        module.wait_until(lambda: user_pages() == 2, "two pages mapped")
        tell.send(b"2")
        child.ok()
        assert contents(address) == b"\x44" * PAGE, "the other process wrote to this page"
        unmap(address)
        nothing_mapped()


class Vector(ctypes.Structure):
    """A struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def trace(request, pid, address=0, data=0):
    """Returns the errno of a ptrace()."""
    ctypes.set_errno(0)
    libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address),
                ctypes.c_void_p(data))
    return ctypes.get_errno()


def others_see_nothing():
    """process_vm_readv(), process_vm_writev(), peeking and poking by ptrace(), and /proc/PID/mem
    are refused."""
    peek, poke, attach, detach = 2, 5, 16, 17
    with loaded(), opened() as fd:
        holder = Holder(fd)
        buffer = ctypes.create_string_buffer(b"\xee" * 64)
        here = Vector(ctypes.addressof(buffer), 64)
        there = Vector(holder.address, 64)
        for call in (libc.process_vm_readv, libc.process_vm_writev):
            error = failure(call(holder.pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
            if error == errno.ENOSYS:
                ktap.note(f"the kernel has no {call.__name__} (CONFIG_CROSS_MEMORY_ATTACH)")
            else:
                assert error == errno.EFAULT, f"{call.__name__}: {name_of(error)}"

        # A process cannot access its own page in this way either.
        for pid in (holder.pid, "self"):
            own = mapped(fd)
            address = holder.address if pid != "self" else own
            memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
            for call in (lambda: os.pread(memory, 8, address),
                         lambda: os.pwrite(memory, b"x", address)):
                try:
                    call()
                except OSError as error:
                    assert error.errno == errno.EIO, error
                else:
                    raise AssertionError(f"/proc/{pid}/mem gives access")
            os.close(memory)
            unmap(own)

        assert trace(attach, holder.pid) == 0, os.strerror(ctypes.get_errno())
        os.waitpid(holder.pid, 0)
        for request in (peek, poke):
            error = trace(request, holder.pid, holder.address)
            assert error == errno.EIO, f"ptrace {request}: {name_of(error)}"
        assert trace(detach, holder.pid) == 0, os.strerror(ctypes.get_errno())
        assert buffer.raw[:64] == b"\xee" * 64, "something was read"
        holder.release()
        nothing_mapped()


@contextlib.contextmanager
def core_dumps():
    """Makes the kernel write core dumps to a folder for the length of a block."""
    pattern = "/proc/sys/kernel/core_pattern"
    if not os.path.exists("/proc/self/coredump_filter"):
        raise Skip("the kernel writes no core dumps (CONFIG_COREDUMP)")
    before = module.read(pattern)
    with tempfile.TemporaryDirectory() as folder:
        module.write(pattern, f"{folder}/core")
        try:
            yield folder
        finally:
            module.write(pattern, before.rstrip("\n"))


def marker_byte(seed, i):
    """Returns one byte of a seed's marker. The dumped process must have no other copy of the
    whole marker."""
    return hashlib.sha256(seed + bytes([i])).digest()[0]


def in_no_core_dump():
    """The core dump of a process has all of its memory except for the page."""
    seeds = {"memory": os.urandom(8), "page": os.urandom(8)}
    length = 64

    def crash(fd):
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        # Dump all kinds of memory except for privately mapped files, such as those of Python.
        module.write("/proc/self/coredump_filter", "0x1fb")
        ordinary = libc.mmap(None, PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0)
        assert ordinary != FAILED
        for what, address in {"memory": ordinary, "page": mapped(fd)}.items():
            for i in range(length):
                ctypes.memset(address + i, marker_byte(seeds[what], i), 1)
            assert contents(address + length - 1, 1)[0] == marker_byte(seeds[what], length - 1)
        os.abort()

    with loaded(), opened() as fd, core_dumps() as folder:
        status = Child(crash, fd).wait()
        assert os.WIFSIGNALED(status) and os.WCOREDUMP(status), f"no core dump: status {status:#x}"
        # With kernel.core_uses_pid, the name ends with the process number.
        names = os.listdir(folder)
        assert len(names) == 1, f"not one core dump but {names}"
        with open(os.path.join(folder, names[0]), "rb") as file:
            core = file.read()
        # Make the markers after the fork, as the child would have a copy otherwise.
        found = {what: core.count(bytes(marker_byte(seed, i) for i in range(length)))
                 for what, seed in seeds.items()}
        assert found["memory"], f"ordinary memory is not in the core dump of {len(core)} bytes either"
        assert not found["page"], "the page is in the core dump"
        wait_until_returned()


def nobody_pins_it():
    """Operations that would hold the page beyond the mapping, such as direct I/O, are refused.
    Copying works."""
    with loaded(), opened() as fd:
        address = mapped(fd)
        fill(address, 0x66)
        read_end, write_end = os.pipe()
        vector = Vector(address, PAGE)
        error = failure(libc.vmsplice(write_end, ctypes.byref(vector), 1, 0))
        assert error == errno.EFAULT, f"vmsplice: {name_of(error)}"
        # This is FUTEX_WAKE for a shared futex.
        error = failure(libc.syscall(SYS_FUTEX, ctypes.c_void_p(address), 1, 1, None, None, 0))
        assert error == errno.EFAULT, f"futex: {name_of(error)}"

        assert libc.write(write_end, ctypes.c_void_p(address), 16) == 16, "it cannot be written from"
        assert os.read(read_end, 64) == b"\x66" * 16
        os.close(read_end)
        os.close(write_end)
        unmap(address)
        nothing_mapped()


def not_moved_nor_grown():
    """mremap() fails in all its forms, and changes nothing."""
    with loaded(), opened() as fd:
        address = mapped(fd)
        fill(address, 0x39)
        tier = libc.mmap(None, 4 * PAGE, NONE, PRIVATE | ANONYMOUS, -1, 0)
        assert tier != FAILED
        for old, new, flags, wanted in [
                (PAGE, PAGE, MAYMOVE | MREMAP_FIXED, errno.EINVAL),
                (PAGE, PAGE, MAYMOVE | DONTUNMAP, errno.EINVAL),
                (PAGE, PAGE, MAYMOVE | MREMAP_FIXED | DONTUNMAP, errno.EINVAL),
                (PAGE, 2 * PAGE, 0, errno.EFAULT),
                (PAGE, 2 * PAGE, MAYMOVE, errno.EFAULT),
                (PAGE, 2 * PAGE, MAYMOVE | MREMAP_FIXED, errno.EFAULT),
                (0, PAGE, MAYMOVE, errno.EFAULT),
                (0, PAGE, MAYMOVE | MREMAP_FIXED, errno.EFAULT),
                (PAGE, 0, 0, errno.EINVAL)]:
            error = failure(libc.mremap(address, old, new, flags, tier), FAILED)
            assert error == wanted, f"mremap({old}, {new}, {flags}): {name_of(error)}"
            assert contents(address) == b"\x39" * PAGE, f"mremap({old}, {new}, {flags}): another page"
            assert user_pages() == 1
        assert libc.mremap(address, PAGE, PAGE, 0, None) == address
        assert user_pages() == 1
        unmap(address)
        nothing_mapped()


def advice_is_refused():
    """madvise() and userfaultfd cannot take the page away. mprotect() and mlock() leave the page in
    place."""
    with loaded(), opened() as fd:
        address = mapped(fd)
        fill(address, 0x71)
        for advice, number in REFUSED_ADVICE.items():
            error = failure(libc.madvise(address, PAGE, number))
            assert error, f"MADV_{advice} was taken"
            assert contents(address) == b"\x71" * PAGE, f"MADV_{advice}: another page"
        for advice, number in {"DONTFORK": 10, "DONTDUMP": 16, "MERGEABLE": 12, "RANDOM": 1}.items():
            libc.madvise(address, PAGE, number)
            assert contents(address) == b"\x71" * PAGE, f"MADV_{advice}: another page"

        for prot in (NONE, READ, READ | WRITE):
            assert libc.mprotect(address, PAGE, prot) == 0, os.strerror(ctypes.get_errno())
        libc.mlock(address, PAGE)
        libc.munlock(address, PAGE)
        assert contents(address) == b"\x71" * PAGE, "another page"

        # These are UFFDIO_API, and UFFDIO_REGISTER with each of its modes.
        uffd = libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC)
        if uffd >= 0:
            api = (ctypes.c_uint64 * 3)(0xaa, 0, 0)
            assert libc.ioctl(uffd, ctypes.c_ulong(0xc018aa3f), api) == 0
            for mode in (1, 2, 4):
                wanted = (ctypes.c_uint64 * 4)(address, PAGE, mode, 0)
                error = failure(libc.ioctl(uffd, ctypes.c_ulong(0xc020aa00), wanted))
                assert error == errno.EINVAL, f"userfaultfd: {name_of(error)}"
            os.close(uffd)
        fill(address, 0x72)
        unmap(address)
        nothing_mapped()


def not_executed():
    """The page cannot be made executable by mmap() or mprotect(), wherever the device file is."""
    with loaded(), tempfile.TemporaryDirectory() as folder:
        # /dev itself can be mounted noexec.
        assert libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, None) == 0, \
            os.strerror(ctypes.get_errno())
        try:
            node = os.path.join(folder, "node")
            os.mknod(node, stat.S_IFCHR | 0o600, os.stat(DEVICE).st_rdev)
            fd = os.open(node, os.O_RDWR)
            for prot in (EXEC, READ | EXEC, READ | WRITE | EXEC):
                error, _ = try_map(fd, prot=prot)
                assert error == errno.EPERM, name_of(error)
            address = mapped(fd)
            for prot in (EXEC, READ | EXEC):
                error = failure(libc.mprotect(address, PAGE, prot))
                assert error == errno.EACCES, name_of(error)
            unmap(address)
            os.close(fd)
        finally:
            libc.umount2(folder.encode(), 2)
        nothing_mapped()


def every_end():
    """The page is returned after munmap(), another mapping in its place, exit, kill -9, and
    execve()."""
    with books.kept() as ours:
        with loaded(**NO_POOL):
            ours.learn()

            def all_back(what):
                wait_until_returned()
                assert ours.held() == 0, f"{what}: {ours.held()} pages are missing"

            with opened() as fd:
                unmap(mapped(fd))
                all_back("munmap")

                address = mapped(fd)
                error, _ = try_map(-1, flags=PRIVATE | ANONYMOUS | FIXED, where=address)
                assert not error
                assert user_pages() == 0, "the page outlives its mapping"
                unmap(address)
                all_back("another mapping")

                # The old mapping is gone when the new one is refused.
                address = mapped(fd)
                error, _ = try_map(fd, flags=PRIVATE | FIXED, where=address)
                _mine.discard(address)
                assert error == errno.EINVAL, name_of(error)
                all_back("a refused mapping in the same place")

                Holder(fd).release()
                all_back("exit")

                holder = Holder(fd, then=lambda _: os.execv("/bin/sleep", ["sleep", "1000"]))
                assert user_pages() == 1
                holder._pipe.send(b"x")
                all_back("execve")
                os.kill(holder.pid, signal.SIGKILL)
                holder.wait()

                holders = [Holder(fd, byte) for byte in range(8)]
                assert user_pages() == 8, f"{user_pages()} pages mapped"
                assert ours.held() == 8, f"the kernel knows of {ours.held()} pages"
                for holder in holders:
                    os.kill(holder.pid, signal.SIGKILL)
                    holder.wait()
                all_back("kill -9")
        assert ours.held() == 0, f"{ours.held()} pages outlive the module"


class PhysicalMemory:
    """Reads any page frame through /proc/kcore, even if it belongs to others."""

    def __init__(self):
        try:
            self._fd = os.open("/proc/kcore", os.O_RDONLY)
        except OSError as error:
            raise Skip(f"no /proc/kcore: {error}") from error
        head = os.pread(self._fd, 64, 0)
        table, = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        self._segments = []
        for i in range(count):
            kind, _, offset, _, physical, length = struct.unpack_from(
                "<IIQQQQ", os.pread(self._fd, size, table + i * size))
            # Segments that are not memory have no physical address.
            if kind == 1 and physical != (1 << 64) - 1:
                self._segments.append((physical, length, offset))

    def read(self, frame):
        """Returns the bytes of a page frame. Bytes that the kernel cannot read are zeroes."""
        for physical, length, offset in self._segments:
            if physical <= frame * PAGE < physical + length:
                return os.pread(self._fd, PAGE, offset + frame * PAGE - physical)
        raise AssertionError(f"page frame {frame:#x} is in no segment of /proc/kcore")


@contextlib.contextmanager
def frames_seen():
    """Makes the kernel trace which frames the module allocates."""
    os.mkdir(tracing.INSTANCE)
    try:
        module.write(f"{tracing.INSTANCE}/events/labyrinth/page_alloc/enable", "1")
        yield lambda: [int(frame, 16) for frame in
                       re.findall(r"\bpage_alloc: .*\bpfn=(0x[0-9a-f]+)",
                                  module.read(f"{tracing.INSTANCE}/trace"))]
        module.write(f"{tracing.INSTANCE}/events/labyrinth/page_alloc/enable", "0")
    finally:
        os.rmdir(tracing.INSTANCE)


def scrubbed():
    """The data that a process has written are no longer in memory when the process has ended."""
    byte = 0xc7
    with loaded():
        memory = PhysicalMemory()
        with frames_seen() as frames, opened() as fd:
            holders = [Holder(fd, byte) for _ in range(8)]
            used = frames()
            assert len(used) == len(holders), f"{len(used)} pages allocated"
            seen = sum(memory.read(frame) == bytes([byte]) * PAGE for frame in used)
            assert seen == len(used), f"the page of only {seen} of {len(used)} is found in memory"
            for holder in holders:
                os.kill(holder.pid, signal.SIGKILL)
            for holder in holders:
                holder.wait()
            left = sum(memory.read(frame).count(byte) > PAGE // 2 for frame in used)
        assert left == 0, f"{left} of {len(used)} pages still hold what was written to them"
        wait_until_returned()


def as_many_as_allowed():
    """user_pages limits the number of pages. Beyond it there is ENOSPC until a page is returned. 0
    allows none."""
    with loaded(user_pages=3), opened() as fd:
        assert metrics.Metrics().total("user_pages_limit") == 3
        addresses = [mapped(fd) for _ in range(3)]
        for _ in range(2):
            error, _ = try_map(fd)
            assert error == errno.ENOSPC, name_of(error)
        assert user_pages() == 3
        unmap(addresses.pop())
        addresses.append(mapped(fd))
        assert try_map(fd)[0] == errno.ENOSPC
        for address in addresses:
            unmap(address)
        nothing_mapped()
    with loaded(user_pages=0), opened() as fd:
        assert try_map(fd)[0] == errno.ENOSPC
    for value in (0, 4096):
        with loaded(user_pages=value):
            assert metrics.Metrics().total("user_pages_limit") == value


def no_memory():
    """Whichever allocation fails while a page is mapped, the process gets ENOMEM and no page, and
    nothing is lost."""
    with books.kept() as ours, loaded(**NO_POOL), opened() as fd, faults.one_at_a_time() as call:
        ours.learn()
        failed, number, there = 0, 1, True
        while there:
            # At this address the process has no page tables yet, at no level.
            where = UNUSED + number * TOP_LEVEL
            (error, address), there = call(number, try_map, fd, where=where)
            if not error:
                _mine.add(address)
            if there:
                assert error == errno.ENOMEM, f"allocation {number}: {name_of(error)}"
                failed += 1
            nothing_lost = (user_pages(), ours.held()) == (int(not there), int(not there))
            assert nothing_lost, f"allocation {number}: {ours.held()} pages, {user_pages()} mapped"
            number += 1
        ktap.note(f"{failed} allocations that can fail")
        assert error == 0, name_of(error)
        # These are the page itself, and its page tables.
        assert failed >= 3, f"only {failed} allocations"
        unmap(address)
        nothing_mapped()
        assert ours.held() == 0, f"{ours.held()} pages are missing"


def refused_as_busy():
    """Checks that rmmod fails with EWOULDBLOCK."""
    try:
        module.unload()
    except OSError as error:
        assert error.errno in (errno.EWOULDBLOCK, errno.EBUSY), error
        return
    raise AssertionError("unloaded although a page is mapped")


def unload_while_mapped():
    """rmmod fails while the file is open or a page is mapped, and nothing is lost."""
    module.load()
    with opened() as fd:
        refused_as_busy()
        address = mapped(fd)
        fill(address, 0x1d)
        holder = Holder(fd)
    # The file is closed, and only the mappings are left.
    for _ in range(3):
        refused_as_busy()
    assert contents(address) == b"\x1d" * PAGE
    with opened() as fd:
        unmap(mapped(fd))
    unmap(address)
    refused_as_busy()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    nothing_mapped()
    # The last reference to the file is dropped a moment after the mapping.
    module.wait_until(lambda: module.read("/sys/module/labyrinth/refcnt") == "0\n", "nobody uses it")
    module.unload()


def races():
    """A program in C does all of this at once. The same program is then killed while it runs."""
    program = os.path.join(HERE, "user_page_races")
    with books.kept() as ours, loaded(**NO_POOL):
        ours.learn()
        run = subprocess.run([program, str(RACE_SECONDS)], stdout=subprocess.PIPE, text=True,
                             check=False)
        for line in run.stdout.splitlines():
            ktap.note(line)
        assert run.returncode == 0, f"status {run.returncode}"
        wait_until_returned()
        for i in range(5):
            with subprocess.Popen([program, "60"], stdout=subprocess.DEVNULL,
                                  start_new_session=True) as group:
                time.sleep(0.5 + 0.1 * i)
                os.killpg(group.pid, signal.SIGKILL)
            wait_until_returned()
        assert ours.held() == 0, f"{ours.held()} pages are missing"
        now = metrics.Metrics()
        mapped_pages = now.total("transfer_total", transfer="map_user", outcome="success")
        ktap.note(f"{mapped_pages} pages mapped")


def pfns(histogram):
    """Returns the page frames that an event was about."""
    return [int(re.search(r"pfn:\s*([0-9a-f]+)", keys).group(1), 16)
            for keys, _ in histogram.entries()]


def gone_bad():
    """If a page goes bad while a process has it, it is taken out of use, and counted like any other
    page."""
    watched = {name: (f"labyrinth/page_{name}", "pfn.hex") for name in ("alloc", "free")}
    with hwpoison.said(), loaded(**NO_POOL), opened() as fd, \
            tracing.histograms(**watched) as histograms:
        address = mapped(fd)
        fill(address, 0x5a)
        frames = pfns(histograms["alloc"])
        hwpoison.hard_offline(*frames)
        unmap(address)
        assert pfns(histograms["free"]) == frames and len(frames) == 1, frames
        nothing_mapped()
        histograms["alloc"].forget()
        histograms["alloc"].go_on()
        for _ in range(ROUNDS):
            unmap(mapped(fd))
        later = pfns(histograms["alloc"])
        assert later and not set(frames) & set(later), f"{frames}, then {later}"


@contextlib.contextmanager
def foreign(letter, **parameters):
    """Loads a copy of the driver, whose name ends with a letter, for the length of a block."""
    name = FOREIGN[:-1] + letter
    with drivers.changed(FOREIGN, FOREIGN.encode(), name.encode()) as file:
        module.insert(file, **parameters)
    try:
        yield name
    finally:
        module.remove(name)


def area_of_another_driver():
    """A driver cannot map a page into an area of another driver's device, nor make a file in the
    folder of another driver. Nothing would keep it loaded."""
    with loaded(), foreign("a") as owner:
        calls = {"map": symbols.address("map_a_page", owner),
                 "file": symbols.address("make_a_file", owner)}
        with kmsg.Provoked() as log, foreign("b", **calls) as other:
            for name, wanted in ((owner, 0), (other, errno.EINVAL)):
                fd = os.open(f"/dev/{name}", os.O_RDWR | os.O_CLOEXEC)
                try:
                    error, address = try_map(fd)
                    if not error:
                        fill(address, 1)
                        unmap(address)
                    assert error == wanted, f"{name}: {name_of(error)}"
                finally:
                    os.close(fd)
            assert os.path.exists(f"/sys/kernel/debug/{owner}/file"), "no file of its own"
            assert not os.path.exists(f"/sys/kernel/debug/{other}/file"), "a file of another driver"
            assert log.errors() == [
                "labyrinth: file: the module that made the folder has to make its files, too",
                "labyrinth: a page has to be mapped by the module that made the device"]


ktap.main(for_root_only, what_cannot_be_mapped, zeroed_and_ones_own, not_inherited, over_a_socket,
          others_see_nothing, in_no_core_dump, nobody_pins_it, not_moved_nor_grown, advice_is_refused,
          not_executed, every_end, scrubbed, gone_bad, as_many_as_allowed, no_memory,
          unload_while_mapped, area_of_another_driver, races)
