"""What happens to the project when files are damaged, runs are killed and disks are full."""
