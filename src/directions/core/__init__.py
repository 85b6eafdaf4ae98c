"""What every room uses: errors, files, seeds, command lines, tables; nothing of networks or studies."""
