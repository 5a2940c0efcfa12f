// The library resolves its parts by decorators and wants the polyfill evaluated before itself.
import 'reflect-metadata';

export {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';
