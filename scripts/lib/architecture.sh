# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by lib.sh. Differences between architectures: of the kernels that Debian has with Rust, of
# the images that their trees build, and of the machines that QEMU emulates. The differences within
# the module are in rust/ffi/arch.

case $(uname -m) in
x86_64)
	ARCH_FLAVOURS=(amd64 cloud-amd64 rt-amd64)
	ARCH_FLAVOUR=cloud-amd64
	ARCH_TARGET=bzImage
	ARCH_IMAGE=arch/x86/boot/bzImage
	ARCH_QEMU=qemu-system-x86_64
	ARCH_QEMU_PACKAGE=qemu-system-x86
	ARCH_CONSOLE=ttyS0
	# All types of machines support an IOMMU without interrupt remapping.
	ARCH_IOMMU_DEVICE=intel-iommu,intremap=off
	ARCH_IOMMU_KERNEL=intel_iommu=on
	;;
*) die "this machine is $(uname -m)" "use x86_64; scripts/lib/architecture.sh knows no other machines" ;;
esac
