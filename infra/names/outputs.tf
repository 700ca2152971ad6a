output "names" {
  description = "Every name of one environment, by role."
  value       = local.names
}

output "make" {
  description = "Makefile variables that need no deployment."
  value       = local.make
}

output "suffix" {
  description = "Six hexadecimal digits that make names unique in all of Azure."
  value       = local.suffix
}
