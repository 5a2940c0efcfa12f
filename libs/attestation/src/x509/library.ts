// The library resolves its parts by decorators and wants the polyfill evaluated before itself: this module is the one
// place that imports either.
import 'reflect-metadata';

export { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from '@peculiar/x509';
